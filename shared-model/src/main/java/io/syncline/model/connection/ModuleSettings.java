package io.syncline.model.connection;

import io.syncline.model.credential.PasswordHash;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The settings of the whole module, folded from {@link SettingsChanged}.
 *
 * @param passwordRevision grows with each change of the password, so that a registration proves which one it gave
 */
public record ModuleSettings(
        boolean enabled,
        IncomingMode incomingMode,
        @Nullable PasswordHash incomingPassword,
        long passwordRevision,
        Instant updatedAt) {

    /** What holds until an operator says anything: disabled. */
    public static final ModuleSettings INITIAL = new ModuleSettings(false, IncomingMode.REQUIRE_APPROVAL, null, 0,
            Instant.EPOCH);

    public ModuleSettings evolve(SettingsChanged event, Instant at) {
        return new ModuleSettings(event.enabled(), event.incomingMode(), event.incomingPassword(),
                event.passwordRevision(), at);
    }
}
