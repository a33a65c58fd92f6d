package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class InvitationTest {

    private static final Path FOLDER = Path.of("/home/ada/site");
    private static final Path DATA = FOLDER.resolve(".syncline");

    @Test
    void text_linesThatWorkWhereTheCommandWasGiven() {
        assertThat(invitation(DATA).text(Duration.ofMillis(12_340), FOLDER)).contains("ready after 12.3 s",
                "2 tables are served: orders, products.", "http://localhost:8080/phoenix_kit/sync/api",
                "  curl -s -H 'content-type: application/json' -d @.syncline/try/list-tables.json"
                        + " http://localhost:8080/phoenix_kit/sync/api/list-tables\n",
                "  curl -s -H 'content-type: application/json' -d @.syncline/try/pull-data.json"
                        + " http://localhost:8080/phoenix_kit/sync/api/pull-data\n",
                "  curl -s -H @.syncline/admin.header http://localhost:8080/admin/api/settings\n");
    }

    @Test
    void text_pathsWholeAndQuotedWhereNeedBe() {
        assertThat(invitation(Path.of("/srv/o'data dir")).text(Duration.ofSeconds(1), FOLDER))
                .contains("-d @'/srv/o'\\''data dir/try/list-tables.json' http");
    }

    @Test
    void text_saysThatTheConnectionForTryingIsGone() {
        assertThat(new Invitation("http://localhost:8080", "/x/sync/api", DATA.resolve("admin.token"),
                DATA.resolve("admin.header"), List.of(), null).text(Duration.ofSeconds(1), FOLDER))
                .contains("has been deleted")
                .doesNotContain("list-tables");
    }

    private static Invitation invitation(Path data) {
        return new Invitation("http://localhost:8080", "/phoenix_kit/sync/api", data.resolve("admin.token"),
                data.resolve("admin.header"), List.of("orders", "products"), new Invitation.Trial(
                        data.resolve("try/list-tables.json"), data.resolve("try/pull-data.json"), "products"));
    }
}
