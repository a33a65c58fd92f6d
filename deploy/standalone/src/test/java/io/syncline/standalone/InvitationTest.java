package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class InvitationTest {

    private static final Path FOLDER = Path.of("/home/ada/site");
    private static final Path DATA = FOLDER.resolve(".syncline");
    private static final Addresses HTTP = new Addresses("http://localhost:8080", "http://localhost:8080");
    private static final Trial OPEN = new Trial.Open(List.of("orders", "products"));

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
        assertThat(text(new Trial.Closed("The connection for trying has been deleted.", null)))
                .contains("has been deleted")
                .doesNotContain("list-tables");
    }

    @Test
    void text_saysHowTheModuleIsEnabled_andWhatCanBeTriedThen() {
        assertThat(text(Trial.MODULE_DISABLED)).contains("The module is disabled",
                "  curl -s -X PATCH -H @.syncline/admin.header -H 'content-type: application/json'"
                        + " -d '{\"enabled\":true}' http://localhost:8080/admin/api/settings\n",
                "/phoenix_kit/sync/api/list-tables\n").doesNotContain("pull-data");
    }

    @Test
    void text_saysWhatIsKeptFromTheConnectionForTrying() {
        assertThat(text(new Trial.Open(List.of("orders")))).contains("it is shown 1 of these tables",
                "Pull one (orders):");
        assertThat(text(new Trial.Open(List.of()))).contains("it is shown none of these tables", "/list-tables\n")
                .doesNotContain("Pull one");
        assertThat(text(OPEN)).doesNotContain("has limited");
    }

    @Test
    void text_overTls_curlKnowsTheCertificate_orIsToldNotToLook() {
        Addresses tls = new Addresses("https://localhost:8443", "http://127.0.0.1:9090");
        assertThat(text(tls, DATA.resolve("try/certificate.pem"))).contains(
                "  curl -s --cacert .syncline/try/certificate.pem -H 'content-type: application/json'"
                        + " -d @.syncline/try/list-tables.json https://localhost:8443/phoenix_kit/sync/api/list-tables\n",
                "  curl -s -H @.syncline/admin.header http://127.0.0.1:9090/admin/api/settings\n")
                .doesNotContain("-k");
        assertThat(text(tls, null)).contains("does not name localhost",
                "  curl -s -k -H 'content-type: application/json'");
    }

    private static Invitation invitation(Path data) {
        return invitation(HTTP, data, OPEN, null);
    }

    private static String text(Trial trial) {
        return invitation(HTTP, DATA, trial, null).text(Duration.ofSeconds(1), FOLDER);
    }

    private static String text(Addresses addresses, @Nullable Path certificate) {
        return invitation(addresses, DATA, OPEN, certificate).text(Duration.ofSeconds(1), FOLDER);
    }

    private static Invitation invitation(Addresses addresses, Path data, Trial trial, @Nullable Path certificate) {
        return new Invitation(addresses, "/phoenix_kit/sync/api", List.of("orders", "products"), trial,
                new Invitation.Files(data.resolve("admin.token"), data.resolve("admin.header"),
                        data.resolve("try/list-tables.json"), data.resolve("try/pull-data.json"), certificate));
    }
}
