package io.syncline.gateway.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.gateway.http.PeerRefusal;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.AuthToken;
import io.syncline.model.credential.PasswordHash;
import io.syncline.model.credential.TokenHash;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class AdmissionTest {

    private static final PasswordHash STORED = new PasswordHash("$argon2id$v=19$m=1,t=1,p=1$YQ$YQ");
    private static final String GOOD = """
            {"sender_url":"http://one.example","connection_name":"One","auth_token":"tok"}""";

    private static ModuleSettings settings(IncomingMode mode, PasswordHash password) {
        return new ModuleSettings(true, mode, password, 7, Instant.EPOCH);
    }

    private static JsonNode json(String text) {
        return JsonMapper.shared().readTree(text);
    }

    private static JsonNode goodWith(String field, Object value) {
        ObjectNode body = (ObjectNode) json(GOOD);
        body.set(field, JsonMapper.shared().<JsonNode>valueToTree(value));
        return body;
    }

    private static Admission.Verdict<Admission.Registration> register(IncomingMode mode, JsonNode body) {
        return Admission.registration(settings(mode, STORED), body);
    }

    private static void assertRefused(Admission.Verdict<?> verdict, PeerRefusal refusal) {
        assertThat(verdict).isEqualTo(new Admission.Verdict.Refused<>(refusal));
    }

    private static void assertRefused(Admission.Verdict<?> verdict, Refusal refusal) {
        assertRefused(verdict, new PeerRefusal.Refused(refusal));
    }

    @Test
    void register_disabledComesFirst() {
        assertRefused(Admission.registration(ModuleSettings.INITIAL, json("{}")), Refusal.MODULE_DISABLED);
    }

    @Test
    void register_denyAllComesBeforeMissingFields() {
        assertRefused(register(IncomingMode.DENY_ALL, json("{}")), Refusal.INCOMING_DENIED);
    }

    @ParameterizedTest
    @EnumSource(value = IncomingMode.class, names = "DENY_ALL", mode = EnumSource.Mode.EXCLUDE)
    void register_missingFieldsComeBeforeThePassword(IncomingMode mode) {
        assertRefused(register(mode, json("{\"password\":\"nope\"}")),
                new PeerRefusal.MissingFields(List.of("sender_url", "connection_name", "auth_token")));
    }

    @Test
    void register_passwordOnlyWhereTheModeAsksForOne() {
        for (IncomingMode mode : List.of(IncomingMode.AUTO_ACCEPT, IncomingMode.REQUIRE_APPROVAL)) {
            assertThat(register(mode, goodWith("password", "nope"))).isEqualTo(new Admission.Verdict.Admitted<>(
                    new Admission.Registration(SiteUrl.asSent("http://one.example"), "One", new AuthToken("tok"),
                            "nope", null)));
        }
        assertThat(register(IncomingMode.REQUIRE_PASSWORD, goodWith("password", "s3cret")))
                .isEqualTo(new Admission.Verdict.Admitted<>(
                        new Admission.Registration(SiteUrl.asSent("http://one.example"), "One", new AuthToken("tok"),
                                "s3cret", STORED)));
    }

    @Test
    void register_passwordAbsentNullOrEmpty() {
        assertRefused(register(IncomingMode.REQUIRE_PASSWORD, json(GOOD)), Refusal.PASSWORD_REQUIRED);
        assertRefused(register(IncomingMode.REQUIRE_PASSWORD, goodWith("password", null)), Refusal.PASSWORD_REQUIRED);
        assertRefused(register(IncomingMode.REQUIRE_PASSWORD, goodWith("password", "")), Refusal.PASSWORD_REQUIRED);
    }

    @Test
    void register_noPasswordStored_letsNobodyIn() {
        ModuleSettings settings = settings(IncomingMode.REQUIRE_PASSWORD, null);
        assertRefused(Admission.registration(settings, goodWith("password", "any")), Refusal.PASSWORD_REQUIRED);
    }

    @Test
    void register_passwordOfAnotherKindIsInvalidInEveryMode() {
        assertRefused(register(IncomingMode.AUTO_ACCEPT, goodWith("password", 5)),
                new PeerRefusal.InvalidFields(List.of("password")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"not a url", "  ", " http://sp.example ", "ftp://x", "/relative", "http://", "http:///p",
        "mailto:a@b", "http://u:p@host", "javascript:alert(1)"})
    void register_senderUrlMustBeAnAbsoluteHttpUrl(String url) {
        assertRefused(register(IncomingMode.AUTO_ACCEPT, goodWith("sender_url", url)),
                new PeerRefusal.InvalidFields(List.of("sender_url")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://one.example", "http://one.example/", "HTTP://ONE.example", "https://a:8080/p?q=1",
        "http://127.0.0.1", "http://[::1]:80", "http://localhost:4000"})
    void register_senderUrlIsKeptAsSent(String url) {
        assertThat(register(IncomingMode.AUTO_ACCEPT, goodWith("sender_url", url)))
                .isInstanceOfSatisfying(Admission.Verdict.Admitted.class, admitted -> assertThat(
                        ((Admission.Registration) admitted.call()).sender().text()).isEqualTo(url));
    }

    @Test
    void register_lengths() {
        String url = "http://" + "a".repeat(248);
        assertThat(register(IncomingMode.AUTO_ACCEPT, goodWith("sender_url", url)))
                .isInstanceOf(Admission.Verdict.Admitted.class);
        assertRefused(register(IncomingMode.AUTO_ACCEPT, goodWith("sender_url", url + "a")),
                new PeerRefusal.InvalidFields(List.of("sender_url")));
        assertThat(register(IncomingMode.AUTO_ACCEPT, goodWith("connection_name", "n".repeat(249))))
                .isInstanceOf(Admission.Verdict.Admitted.class);
        assertRefused(register(IncomingMode.AUTO_ACCEPT, goodWith("connection_name", "n".repeat(250))),
                new PeerRefusal.InvalidFields(List.of("connection_name")));
        assertThat(register(IncomingMode.AUTO_ACCEPT, goodWith("auth_token", "t".repeat(255))))
                .isInstanceOf(Admission.Verdict.Admitted.class);
        assertRefused(register(IncomingMode.AUTO_ACCEPT, goodWith("auth_token", "t".repeat(256))),
                new PeerRefusal.InvalidFields(List.of("auth_token")));
    }

    @Test
    void reference_anyTextIsLookedUp() {
        assertThat(Admission.reference(json("{\"sender_url\":\"x\",\"auth_token_hash\":\"' OR 1=1 --\"}")))
                .isEqualTo(new Admission.Verdict.Admitted<>(
                        new Admission.Reference(SiteUrl.asSent("x"), TokenHash.asSent("' OR 1=1 --"))));
        assertRefused(Admission.reference(json("{\"sender_url\":1,\"auth_token_hash\":[]}")),
                new PeerRefusal.InvalidFields(List.of("sender_url", "auth_token_hash")));
    }

    @Test
    void statusUpdate_missingThenKindsThenValue() {
        assertRefused(Admission.statusUpdate(json("{\"sender_url\":5,\"status\":\"bogus\"}")),
                new PeerRefusal.MissingFields(List.of("auth_token_hash")));
        assertRefused(Admission.statusUpdate(json("""
                {"sender_url":5,"auth_token_hash":"x","status":"bogus"}""")),
                new PeerRefusal.InvalidFields(List.of("sender_url")));
        assertRefused(Admission.statusUpdate(json("""
                {"sender_url":"u","auth_token_hash":"x","status":["active"]}""")), PeerRefusal.Known.INVALID_STATUS);
    }

    @ParameterizedTest
    @EnumSource(PeerWish.class)
    void statusUpdate_takesWhatASenderMaySay(PeerWish wish) {
        assertThat(Admission.statusUpdate(json("{\"sender_url\":\"u\",\"auth_token_hash\":\"x\",\"status\":\""
                + wish.word() + "\"}"))).isEqualTo(new Admission.Verdict.Admitted<>(
                        new Admission.StatusUpdate(SiteUrl.asSent("u"), TokenHash.asSent("x"), wish)));
    }

    @Test
    void receiver_namesItselfAndItsHash() {
        assertRefused(Admission.receiver(json("{\"sender_url\":\"x\"}")),
                new PeerRefusal.MissingFields(List.of("receiver_url", "auth_token_hash")));
        assertRefused(Admission.receiver(json("{\"receiver_url\":\"x\",\"auth_token_hash\":5}")),
                new PeerRefusal.InvalidFields(List.of("auth_token_hash")));
    }
}
