package io.syncline.model.connection;

import io.syncline.model.credential.CredentialFingerprint;

/** A request about the module as a whole: its settings, and who its operators are. */
public sealed interface SettingsRequest extends Request permits SettingsChangeRequested,
        SettingsRequest.OperatorAdditionRequested, SettingsRequest.OperatorRemovalRequested {

    /** Who asks. */
    String by();

    @Override
    default String key() {
        return Event.SETTINGS_KEY;
    }

    /** Somebody gets a token of their own for the operators' API. */
    record OperatorAdditionRequested(String name, OperatorRole role, CredentialFingerprint fingerprint, String by)
            implements
            SettingsRequest {}

    /** An operator's token ends. */
    record OperatorRemovalRequested(String name, String by) implements SettingsRequest {}
}
