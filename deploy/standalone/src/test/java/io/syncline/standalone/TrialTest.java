package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TrialTest {

    private static final Operator.Answer REFUSED = new Operator.Answer(403,
            json("{'success':false,'error':'IP address not allowed'}"));

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "suspended | is suspended     | POST  | /connections/u-1/reactivate | {}",
        "revoked   | is revoked       | POST  | /connections/u-1/reactivate | {}",
        "pending   | awaits approval  | POST  | /connections/u-1/approve    | {}",
        "expired   | has expired      | PATCH | /connections/u-1            | {'expires_at':null}"})
    void closed_saysHowTheConnectionStands_andWhatOpensIt(String status, String said, String method, String path,
            String body) {
        Trial.Closed closed = Trial.closed(REFUSED, connection(status));
        assertThat(closed.why()).contains(said);
        assertThat(closed.remedy()).isEqualTo(new Trial.Change(method, path, body.replace('\'', '"')));
    }

    @Test
    void closed_deletedOnlyWhereOperatorsFindNone() {
        Trial.Closed closed = Trial.closed(REFUSED, json("{'connections':[]}"));
        assertThat(closed.why()).contains("has been deleted");
        assertThat(closed.remedy()).isNull();
    }

    @Test
    void closed_repeatsWhatAPeerIsAnswered_whereTheConnectionIsActive() {
        assertThat(Trial.closed(REFUSED, connection("active")).why()).contains("status 403: IP address not allowed",
                "/connections/u-1");
    }

    @Test
    void pulled_isTheDemoShopsShortestTable_orTheFirst_orNone() {
        assertThat(new Trial.Open(List.of("orders", "products")).pulled()).hasValue("products");
        assertThat(new Trial.Open(List.of("notes", "orders")).pulled()).hasValue("notes");
        assertThat(new Trial.Open(List.of()).pulled()).isEmpty();
    }

    private static JsonNode connection(String status) {
        return json("{'connections':[{'uuid':'u-1','status':'%s'}]}".formatted(status));
    }

    private static JsonNode json(String text) {
        return JsonMapper.shared().readTree(text.replace('\'', '"'));
    }
}
