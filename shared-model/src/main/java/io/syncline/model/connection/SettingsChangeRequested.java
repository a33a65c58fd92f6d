package io.syncline.model.connection;

import io.syncline.model.credential.PasswordHash;
import org.jspecify.annotations.Nullable;

/**
 * An operator changes the module's settings; what is null stays as it is.
 *
 * @param changePassword whether {@link #incomingPassword} replaces the one stored (null then removes it)
 */
public record SettingsChangeRequested(
        @Nullable Boolean enabled,
        @Nullable IncomingMode incomingMode,
        boolean changePassword,
        @Nullable PasswordHash incomingPassword,
        String by) implements SettingsRequest {}
