package io.syncline.gateway.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.gateway.http.BoundedLog;
import io.syncline.gateway.http.Caller;
import io.syncline.gateway.http.Caller.Permission;
import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.gateway.http.OperatorRoutes.Entry;
import io.syncline.model.connection.Operator;
import io.syncline.model.connection.OperatorRole;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.credential.TokenHash;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class AdminAuthenticationTest {

    @TempDir Path directory;

    private CredentialKeys keys;
    private List<Operator> operators = List.of();

    @BeforeEach
    void makeKeys() throws Exception {
        CredentialKeys.writeNew(directory.resolve("keys"), new SecureRandom());
        keys = CredentialKeys.read(directory.resolve("keys"));
        operators = List.of(operator("vera", OperatorRole.VIEWER), operator("otto", OperatorRole.OPERATOR),
                operator("anna", OperatorRole.AUDITOR));
    }

    private Operator operator(String name, OperatorRole role) {
        return new Operator(name, role, keys.fingerprint(TokenHash.ofToken("token-of-" + name)), Operator.ROOT,
                Instant.EPOCH);
    }

    private AdminAuthentication gate(@Nullable String token, @Nullable Path file) {
        return AdminAuthentication.of(token, file, keys, () -> operators, null);
    }

    private static OidcTokens issued() {
        return new OidcTokens(
                new OidcTokens.Settings("https://issuer.example", "here", "sub", "roles", Map.of()),
                new BoundedLog(LoggerFactory.getLogger(AdminAuthenticationTest.class), System::nanoTime));
    }

    private static Caller in(Entry entry) {
        assertThat(entry).isInstanceOf(Entry.In.class);
        return ((Entry.In) entry).caller();
    }

    private static OperatorRefusal out(Entry entry) {
        assertThat(entry).isInstanceOf(Entry.Out.class);
        return ((Entry.Out) entry).refusal();
    }

    @Test
    void theConfiguredToken_mayDoAll_itsSchemeInAnyCase() throws Exception {
        AdminAuthentication gate = gate("t0ken", null);
        assertThat(in(gate.enter(Optional.of("Bearer t0ken"))).may()).containsExactlyInAnyOrder(Permission.values());
        assertThat(in(gate.enter(Optional.of("bearer t0ken"))).name()).isEqualTo("admin");
    }

    @Test
    void aTokenOfOnesOwn_mayDoWhatItsRoleMay() throws Exception {
        AdminAuthentication gate = gate("t0ken", null);
        Caller vera = in(gate.enter(Optional.of("Bearer token-of-vera")));
        assertThat(vera.name()).isEqualTo("vera");
        assertThat(vera.may()).isEqualTo(Set.of(Permission.LOOK));
        assertThat(in(gate.enter(Optional.of("Bearer token-of-anna"))).may())
                .isEqualTo(Set.of(Permission.LOOK, Permission.AUDIT));
        assertThat(in(gate.enter(Optional.of("Bearer token-of-otto"))).may())
                .isEqualTo(Set.of(Permission.LOOK, Permission.AUDIT, Permission.CHANGE));
    }

    @Test
    void whatIsStoredOfAToken_opensNothing() throws Exception {
        AdminAuthentication gate = gate("t0ken", null);
        String stored = operators.getFirst().fingerprint().hex();
        for (String presented : List.of(stored, TokenHash.ofToken("token-of-vera").text())) {
            assertThat(out(gate.enter(Optional.of("Bearer " + presented))))
                    .isInstanceOf(OperatorRefusal.Unauthorized.class);
        }
        operators = List.of();
        assertThat(out(gate.enter(Optional.of("Bearer token-of-vera")))).as("removed")
                .isInstanceOf(OperatorRefusal.Unauthorized.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Bearer", "Bearer ", "Bearer t0keN", "Bearer t0ken2", "Bearer t0ke", "Basic t0ken",
        "t0ken"})
    void nothingElseDoes(String authorization) throws Exception {
        assertThat(out(gate("t0ken", null).enter(Optional.of(authorization))))
                .isInstanceOf(OperatorRefusal.Unauthorized.class);
    }

    @Test
    void noHeader() throws Exception {
        assertThat(out(gate("t0ken", null).enter(Optional.empty()))).isInstanceOf(OperatorRefusal.Unauthorized.class);
    }

    @Test
    void noTokenConfigured_closesTheApiForAllWhoHaveNoneOfTheirOwn() throws Exception {
        for (AdminAuthentication gate : List.of(gate(null, null), gate("  ", null))) {
            assertThat(out(gate.enter(Optional.of("Bearer ")))).isInstanceOfSatisfying(
                    OperatorRefusal.NotConfigured.class,
                    no -> assertThat(no.detail()).contains("syncline.admin.token")
                            .contains("syncline.admin.token-file"));
            assertThat(in(gate.enter(Optional.of("Bearer token-of-otto"))).name()).isEqualTo("otto");
        }
    }

    @Test
    void issuerConfigured_closesNothing_andLeavesTheOtherTokensAsTheyAre() throws Exception {
        AdminAuthentication gate = AdminAuthentication.of(null, null, keys, () -> operators, issued());
        for (Optional<String> nobody : List.of(Optional.<String>empty(), Optional.of("Bearer x"),
                Optional.of("Bearer a.b.c"))) {
            assertThat(out(gate.enter(nobody))).isInstanceOf(OperatorRefusal.Unauthorized.class);
        }
        assertThat(in(gate.enter(Optional.of("Bearer token-of-otto"))).name()).isEqualTo("otto");
        AdminAuthentication both = AdminAuthentication.of("a.b.c", null, keys, () -> operators, issued());
        assertThat(in(both.enter(Optional.of("Bearer a.b.c"))).name()).isEqualTo("admin");
    }

    @Test
    void tokenFromAFile() throws Exception {
        Path file = Files.writeString(directory.resolve("token"), "from-file\n");
        assertThat(in(gate(null, file).enter(Optional.of("Bearer from-file"))).name()).isEqualTo("admin");
        assertThatThrownBy(() -> gate("t", file)).hasMessageContaining("both");
        assertThatThrownBy(() -> gate(null, directory.resolve("none")))
                .hasMessageContaining("syncline.admin.token-file");
        Path two = Files.writeString(directory.resolve("two"), "geheim\nnoch eins\n");
        assertThatThrownBy(() -> gate(null, two)).hasMessageNotContaining("geheim");
    }
}
