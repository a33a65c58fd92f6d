package io.syncline.gateway.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.gateway.dispatch.Submission;
import io.syncline.gateway.http.PeerAnswer;
import io.syncline.gateway.http.PeerRefusal;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.AuthToken;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.SealedSecret;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

class ConnectionTranslatorTest {

    private static final UUID CONNECTION = UUID.fromString("0197a3b0-0000-7000-8000-000000000001");
    private static final JsonMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .build();

    private static Submission accepted(ConnectionStatus status) {
        return new Submission.Decided(new Outcome.Accepted(CONNECTION, status));
    }

    private static void assertOk(PeerAnswer answer, String json) {
        assertThat(answer).isInstanceOfSatisfying(PeerAnswer.Ok.class,
                ok -> assertThat(JSON.readTree(JSON.writeValueAsString(ok.body()))).isEqualTo(JSON.readTree(json)));
    }

    @Test
    void registered_activeOrWaiting() {
        assertOk(ConnectionTranslator.registered(accepted(ConnectionStatus.ACTIVE)), """
                {"success":true,"message":"Connection registered and activated","connection_status":"active",
                "connection_uuid":"0197a3b0-0000-7000-8000-000000000001"}""");
        assertOk(ConnectionTranslator.registered(accepted(ConnectionStatus.PENDING)), """
                {"success":true,"message":"Connection registered and awaiting approval","connection_status":"pending",
                "connection_uuid":"0197a3b0-0000-7000-8000-000000000001"}""");
    }

    @Test
    void statusUpdated_namesTheStatusInForce() {
        assertOk(ConnectionTranslator.statusUpdated(accepted(ConnectionStatus.REVOKED)), """
                {"success":true,"message":"Status updated to revoked"}""");
    }

    @Test
    void deletedAndConfirmed() {
        assertOk(ConnectionTranslator.deleted(new Submission.Decided(Outcome.Accepted.WITHOUT_RECORD)), """
                {"success":true,"message":"Connection deleted"}""");
        assertOk(ConnectionTranslator.confirmed(accepted(ConnectionStatus.ACTIVE), "A"), """
                {"success":true,"status":"active","name":"A"}""");
    }

    static Stream<Function<Submission, PeerAnswer>> answers() {
        return Stream.of(ConnectionTranslator::registered, ConnectionTranslator::statusUpdated,
                ConnectionTranslator::deleted, submission -> ConnectionTranslator.confirmed(submission, "A"));
    }

    @ParameterizedTest
    @MethodSource("answers")
    void refusals_areTheSameForEveryCall(Function<Submission, PeerAnswer> answer) {
        for (Refusal refusal : Refusal.values()) {
            assertThat(answer.apply(new Submission.Decided(new Outcome.Refused(refusal))))
                    .isEqualTo(PeerAnswer.refused(new PeerRefusal.Refused(refusal)));
        }
        assertThat(
                sentence(answer.apply(new Submission.NotApplied("it rains", "java.net.ConnectException: broker:9092"))))
                .isEqualTo("The request was not applied: it rains; try again later");
        assertThat(sentence(answer.apply(new Submission.NotKnown()))).contains("not known")
                .contains("verify-connection")
                .doesNotContain("was not applied");
        assertThat(sentence(answer.apply(new Submission.Busy()))).contains("was not applied");
    }

    private static String sentence(PeerAnswer answer) {
        return ((PeerRefusal.Unavailable) ((PeerAnswer.No) answer).refusal()).sentence();
    }

    @Test
    void registration_carriesNoCredential() {
        var call = new Admission.Registration(SiteUrl.asSent("http://a"), "Name", new AuthToken("secret-token"),
                "secret-password", null);
        var request = ConnectionTranslator.registration(call, CONNECTION, new CredentialFingerprint("0".repeat(64)),
                SealedSecret.parse("k.AAAA"), 3L, "127.0.0.1", "agent/" + "x".repeat(1_000));
        assertThat(request.toString()).doesNotContain("secret");
        assertThat(call.toString()).doesNotContain("secret");
        assertThat(request.name()).isEqualTo("Name");
        assertThat(request.passwordRevision()).isEqualTo(3);
        assertThat(request.userAgent()).hasSize(255);
    }
}
