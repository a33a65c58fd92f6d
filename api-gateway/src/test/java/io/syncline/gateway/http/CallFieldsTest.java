package io.syncline.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

class CallFieldsTest {

    private static CallFields fields(String json) {
        return new CallFields(JsonMapper.shared().readTree(json));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"a\":null,\"b\":null}", "{\"a\":\"\",\"b\":\"\"}"})
    void text_absentNullAndEmptyAreMissing_inTheOrderOfReading(String json) {
        CallFields fields = fields(json);
        fields.text("b");
        fields.text("a");
        assertThat(fields.refusal()).contains(new PeerRefusal.MissingFields(List.of("b", "a")));
        assertThat(fields.refusalInSentence()).contains(new PeerRefusal.MissingFieldsSentence(List.of("b", "a")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"5", "1.5", "true", "false", "[]", "[\"x\"]", "{}", "\"a\\u0000b\"", "\"\\ud800\"",
        "\"1234567890123\""})
    void text_ofAnotherKindIsInvalid(String value) {
        CallFields fields = fields("{\"a\":" + value + "}");
        fields.text("a", 12);
        assertThat(fields.refusal()).contains(new PeerRefusal.InvalidFields(List.of("a")));
        assertThat(fields.refusalInSentence()).contains(new PeerRefusal.InvalidFields(List.of("a")));
    }

    @Test
    void text_lengthIsInCharactersNotCodeUnits() {
        CallFields fields = fields("{\"a\":\"😀😀\"}");
        assertThat(fields.text("a", 2)).isEqualTo("😀😀");
        assertThat(fields.refusal()).isEmpty();
    }

    @Test
    void refusal_missingFieldsComeBeforeInvalidOnes() {
        CallFields fields = fields("{\"a\":5}");
        fields.text("a");
        fields.text("b");
        assertThat(fields.refusal()).contains(new PeerRefusal.MissingFields(List.of("b")));
    }

    @Test
    void whitespace_isNotMissing() {
        CallFields fields = fields("{\"a\":\" \"}");
        assertThat(fields.text("a")).isEqualTo(" ");
        assertThat(fields.refusal()).isEmpty();
    }

    @Test
    void optionalText_nullAndEmptyAreAbsent() {
        CallFields fields = fields("{\"a\":null,\"b\":\"\",\"c\":\"x\"}");
        assertThat(fields.optionalText("a")).isEmpty();
        assertThat(fields.optionalText("b")).isEmpty();
        assertThat(fields.optionalText("c")).contains("x");
        assertThat(fields.optionalText("d")).isEmpty();
        assertThat(fields.refusal()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"5", "false", "[\"s3cret\"]", "{}", "\"\\u0000\""})
    void optionalText_ofAnotherKindIsInvalid(String value) {
        CallFields fields = fields("{\"password\":" + value + "}");
        fields.optionalText("password");
        assertThat(fields.refusal()).contains(new PeerRefusal.InvalidFields(List.of("password")));
    }

    @Test
    void optionalCount_takesNumbersAndDecimalText() {
        CallFields fields = fields("{\"a\":5,\"b\":\"07\",\"c\":null,\"d\":0}");
        assertThat(fields.optionalCount("a")).hasValue(5);
        assertThat(fields.optionalCount("b")).hasValue(7);
        assertThat(fields.optionalCount("c")).isEmpty();
        assertThat(fields.optionalCount("d")).hasValue(0);
        assertThat(fields.optionalCount("e")).isEmpty();
        assertThat(fields.refusal()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "1.0", "1e3", "\"\"", "\"x\"", "\"-1\"", "\"1.5\"", "\" 1\"", "true", "[]", "{}",
        "99999999999999999999", "\"١\""})
    void optionalCount_anythingElseIsInvalid(String value) {
        CallFields fields = fields("{\"limit\":" + value + "}");
        fields.optionalCount("limit");
        assertThat(fields.refusal()).contains(new PeerRefusal.InvalidFields(List.of("limit")));
    }
}
