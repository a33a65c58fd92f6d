package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class SiteTest {

    private static final JsonNode LISTED = JsonMapper.shared().readTree("""
            {"success":true,"tables":[
              {"name":"customers","row_count":2500,"state":"live"},
              {"name":"events","row_count":7499,"state":"waiting"},
              {"name":"large","row_count":3,"state":"marked"},
              {"name":"orders","row_count":9000,"state":"refreshing"}]}""");

    @Test
    void served_areThoseWhoseCopyIsWhole() {
        assertThat(Site.served(LISTED)).containsExactly("customers", "orders");
    }

    @Test
    void awaited_areThoseStillBeingCopied_andThoseOfWhichNothingIsSaid() {
        assertThat(Site.awaited(Set.of("customers", "events", "large", "orders", "products"), LISTED))
                .containsExactlyInAnyOrder("events", "products");
    }

    @Test
    void firstTable_mayComeWhileCaptureHasNotBegun_andWhileItCopiesOne() {
        assertThat(Site.mayCome(captured("checking", ""))).isTrue();
        assertThat(Site.mayCome(captured("running", "{'name':'notes','state':'waiting'}"))).isTrue();
        assertThat(Site.mayCome(captured("running", "{'name':'notes','state':'left_out'}"))).isFalse();
        assertThat(Site.mayCome(captured("failed", ""))).isFalse();
        assertThat(Site.mayCome(JsonMapper.shared().readTree("{\"source\":null,\"tables\":[]}"))).isFalse();
    }

    private static JsonNode captured(String source, String table) {
        return JsonMapper.shared()
                .readTree("{'source':{'state':'%s'},'tables':[%s]}".formatted(source, table).replace('\'', '"'));
    }
}
