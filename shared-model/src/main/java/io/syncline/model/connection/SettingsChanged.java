package io.syncline.model.connection;

import io.syncline.model.credential.PasswordHash;
import org.jspecify.annotations.Nullable;

/** The module's settings as an operator left them, whole. */
public record SettingsChanged(
        boolean enabled,
        IncomingMode incomingMode,
        @Nullable PasswordHash incomingPassword,
        long passwordRevision,
        String by) implements SettingsEvent {}
