package io.syncline.gateway.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.gateway.http.OperatorRefusal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdminAuthenticationTest {

    @TempDir Path directory;

    @Test
    void theTokenOpens_itsSchemeInAnyCase() {
        AdminAuthentication gate = AdminAuthentication.of("t0ken", null);
        assertThat(gate.refusal(Optional.of("Bearer t0ken"))).isEmpty();
        assertThat(gate.refusal(Optional.of("bearer t0ken"))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Bearer", "Bearer ", "Bearer t0keN", "Bearer t0ken2", "Bearer t0ke", "Basic t0ken",
        "t0ken"})
    void nothingElseDoes(String authorization) {
        assertThat(AdminAuthentication.of("t0ken", null).refusal(Optional.of(authorization)))
                .containsInstanceOf(OperatorRefusal.Unauthorized.class);
    }

    @Test
    void noHeader() {
        assertThat(AdminAuthentication.of("t0ken", null).refusal(Optional.empty()))
                .containsInstanceOf(OperatorRefusal.Unauthorized.class);
    }

    @Test
    void noTokenConfigured_closesTheApi() {
        for (AdminAuthentication gate : new AdminAuthentication[]{AdminAuthentication.of(null, null),
            AdminAuthentication.of("  ", null)}) {
            assertThat(gate.refusal(Optional.of("Bearer "))).get()
                    .isInstanceOfSatisfying(OperatorRefusal.NotConfigured.class,
                            no -> assertThat(no.detail()).contains("syncline.admin.token")
                                    .contains("syncline.admin.token-file"));
        }
    }

    @Test
    void tokenFromAFile() throws Exception {
        Path file = Files.writeString(directory.resolve("token"), "from-file\n");
        assertThat(AdminAuthentication.of(null, file).refusal(Optional.of("Bearer from-file"))).isEmpty();
        assertThatThrownBy(() -> AdminAuthentication.of("t", file)).hasMessageContaining("both");
        assertThatThrownBy(() -> AdminAuthentication.of(null, directory.resolve("none")))
                .hasMessageContaining("syncline.admin.token-file");
        Path two = Files.writeString(directory.resolve("two"), "geheim\nnoch eins\n");
        assertThatThrownBy(() -> AdminAuthentication.of(null, two)).hasMessageNotContaining("geheim");
    }
}
