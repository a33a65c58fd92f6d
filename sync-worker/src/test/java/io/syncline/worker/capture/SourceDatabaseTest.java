package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SourceDatabaseTest {

    @Test
    void theUrlsOptions_areKept() {
        SourceDatabase source = new SourceDatabase("jdbc:postgresql://db.example:5433/shop?sslmode=require", "u", null);
        assertThat(source.host()).isEqualTo("db.example");
        assertThat(source.driverOptions()).containsEntry("sslmode", "require");
    }

    @Test
    void severalHosts_areRefused() {
        assertThatThrownBy(() -> new SourceDatabase("jdbc:postgresql://a,b/shop", "u", null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a,b")
                .hasMessageContaining("name its primary");
    }

    @Test
    void anotherNameForOurSessions_isRefused() {
        assertThatThrownBy(() -> new SourceDatabase("jdbc:postgresql://a/shop?ApplicationName=mine", "u", null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ApplicationName (mine)")
                .hasMessageContaining("leave it out");
    }
}
