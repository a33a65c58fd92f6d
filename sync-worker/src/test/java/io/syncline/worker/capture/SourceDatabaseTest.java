package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SourceDatabaseTest {

    @Test
    void theUrlsOptions_areKept() throws SourceUnusableException {
        SourceDatabase source = new SourceDatabase("jdbc:postgresql://db.example:5433/shop?sslmode=require", "u", null);
        assertThat(source.host()).isEqualTo("db.example");
        assertThat(source.driverOptions()).containsEntry("sslmode", "require");
    }

    @Test
    void severalHosts_areRefused() {
        assertThatThrownBy(() -> new SourceDatabase("jdbc:postgresql://a,b/shop", "u", null))
                .isInstanceOf(SourceUnusableException.class)
                .hasMessageContaining("a,b")
                .hasMessageContaining("name its primary");
    }

    @Test
    void anotherNameForOurSessions_isRefused() {
        assertThatThrownBy(() -> new SourceDatabase("jdbc:postgresql://a/shop?ApplicationName=mine", "u", null))
                .isInstanceOf(SourceUnusableException.class)
                .hasMessageContaining("ApplicationName (mine)")
                .hasMessageContaining("leave it out");
    }

    @Test
    void anUnusableUrl_isShownWithoutParametersAndUser() {
        assertThat(SourceDatabase.shown("jdbc:postgresql://a,b/shop?password=secret")).isEqualTo(
                "jdbc:postgresql://a,b/shop?…");
        assertThat(SourceDatabase.shown("postgres://reader:secret@db.example:5432/shop"))
                .isEqualTo("postgres://db.example:5432/shop");
        assertThat(SourceDatabase.shown("reader:secret@db.example/shop")).isEqualTo("db.example/shop");
        assertThat(SourceDatabase.shown("postgres://reader:se?cret@db.example/shop")).isEqualTo("postgres://…");
        assertThat(SourceDatabase.shown("jdbc:postgresql://db.example/shop?password=sec@ret"))
                .isEqualTo("jdbc:postgresql://…");
        assertThat(SourceDatabase.shown("jdbc:sqlserver://db.example;user=reader;password=secret"))
                .isEqualTo("jdbc:sqlserver://db.example?…");
        assertThat(SourceDatabase.shown("reader:se//cret@db.example/shop")).isEqualTo("db.example/shop");
        assertThat(SourceDatabase.shown("nonsense")).isEqualTo("nonsense");
    }
}
