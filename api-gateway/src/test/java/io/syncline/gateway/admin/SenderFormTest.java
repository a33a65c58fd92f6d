package io.syncline.gateway.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.model.connection.ApprovalMode;
import io.syncline.model.connection.ConnectionSettings;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class SenderFormTest {

    private static final String LEAST = """
            {"direction":"sender","name":"N","site_url":"http://a.example"}""";

    private static SenderForm.Read read(String json) {
        return SenderForm.read(JsonMapper.shared().readTree(json));
    }

    private static SenderForm form(String json) {
        assertThat(read(json)).isInstanceOf(SenderForm.Read.Form.class);
        return ((SenderForm.Read.Form) read(json)).form();
    }

    private static List<String> wrong(String json) {
        assertThat(read(json)).isInstanceOf(SenderForm.Read.Bad.class);
        return ((OperatorRefusal.Invalid) ((SenderForm.Read.Bad) read(json)).refusal()).errors()
                .stream()
                .map(OperatorRefusal.FieldProblem::field)
                .toList();
    }

    private static String leastWith(String field, String value) {
        ObjectNode node = (ObjectNode) JsonMapper.shared().readTree(LEAST);
        node.set(field, JsonMapper.shared().readTree(value));
        return node.toString();
    }

    @Test
    void least_isPendingAndUnlimited() {
        SenderForm form = form(LEAST);
        assertThat(form.active()).isFalse();
        assertThat(form.notifyPeer()).isTrue();
        assertThat(form.token()).isEmpty();
        assertThat(form.limits().with(null)).isEqualTo(ConnectionSettings.DEFAULTS);
    }

    @Test
    void everything() {
        SenderForm form = form("""
                {"direction":"sender","name":"N","site_url":"http://a.example","auth_token":"t","status":"active",
                "notify":false,"max_records_per_request":7,"max_downloads":1,"max_records_total":0,
                "allowed_tables":["a"],"excluded_tables":["b"],"ip_whitelist":["203.0.113.1","2001:db8::1"],
                "allowed_hours_start":22,"allowed_hours_end":4,"download_password":"pw",
                "approval_mode":"per_table","auto_approve_tables":["c"],"rate_limit_requests_per_minute":60,
                "expires_at":"2020-01-01T01:00:00+01:00"}""");
        assertThat(form.active()).isTrue();
        assertThat(form.notifyPeer()).isFalse();
        assertThat(form.token()).isPresent();
        assertThat(form.downloadPassword()).contains("pw");
        assertThat(form.limits().with(null)).isEqualTo(new ConnectionSettings(7, 1L, 0L, List.of("a"), List.of("b"),
                List.of("203.0.113.1", "2001:db8::1"), 22, 4, null, ApprovalMode.PER_TABLE, List.of("c"), 60,
                Instant.parse("2020-01-01T00:00:00Z")));
    }

    @Test
    void missing_allAtOnce() {
        assertThat(wrong("{}")).containsExactly("direction", "name", "site_url");
    }

    @Test
    void unknown_isNamed() {
        assertThat(wrong(leastWith("max_record_per_request", "7"))).containsExactly("max_record_per_request");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '§', value = {"direction|\"receiver\"", "direction|5", "name|\"\"",
        "name|5", "name|\"a\\u0000\"", "site_url|\"a.example\"", "site_url|\"http://u:p@a\"", "auth_token|\"\"",
        "auth_token|5", "status|\"revoked\"", "notify|\"no\"", "max_records_per_request|0",
        "max_records_per_request|\"7\"", "max_records_per_request|1.5", "max_records_per_request|2147483648",
        "max_downloads|-1", "max_records_total|-1", "allowed_tables|\"a\"", "allowed_tables|[5]",
        "allowed_tables|[\"\"]", "excluded_tables|{}", "ip_whitelist|[\"localhost\"]", "ip_whitelist|[\"1.2.3\"]",
        "ip_whitelist|[\"fe80::1%eth0\"]", "allowed_hours_end|5", "allowed_hours_start|24",
        "download_password|\"\"", "download_password|5", "approval_mode|\"never\"", "auto_approve_tables|[null]",
        "rate_limit_requests_per_minute|0", "expires_at|\"2020-01-01\"", "expires_at|\"2020-01-01T00:00:00\"",
        "expires_at|1577836800", "expires_at|\"+999999-01-01T00:00:00Z\""})
    void wrongValues_areNamed(String field, String value) {
        List<String> named = wrong(leastWith(field, value));
        assertThat(named).hasSizeBetween(1, 2);
        assertThat(named.getFirst()).isIn(field, "allowed_hours_start");
    }
}
