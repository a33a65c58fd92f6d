package io.syncline.model.connection;

import io.syncline.model.credential.CredentialFingerprint;

/** A fact about the module as a whole. */
public sealed interface SettingsEvent extends Event permits SettingsChanged, SettingsEvent.OperatorAdded,
        SettingsEvent.OperatorRemoved {

    /** The operator who did it. */
    String by();

    @Override
    default String key() {
        return SETTINGS_KEY;
    }

    record OperatorAdded(String name, OperatorRole role, CredentialFingerprint fingerprint, String by)
            implements
            SettingsEvent {}

    record OperatorRemoved(String name, String by) implements SettingsEvent {}
}
