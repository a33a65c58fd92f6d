package io.syncline.gateway.admin;

import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.model.connection.Connection;
import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.credential.PasswordHash;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** What an operator changes of a sender connection (RFC 7396): what is not named stays, null is the default. */
record SenderChange(
        String name,
        boolean notifyPeer,
        boolean changePassword,
        Optional<String> downloadPassword,
        SenderForm.Limits limits) {

    sealed interface Read {
        record Change(SenderChange change) implements Read {}

        record Bad(OperatorRefusal refusal) implements Read {}
    }

    static Read read(JsonNode body, Connection.Sender before) {
        OperatorFields fields = new OperatorFields(body);
        String name = fields.has("name") ? fields.text("name", SenderForm.MAX_NAME).orElse("") : before.name();
        if (fields.isNull("name")) {
            fields.reject("name", "cannot be removed, only changed");
        }
        boolean notify = fields.has("notify") ? fields.bool("notify").orElse(true) : before.notifyPeer();
        Optional<String> password = fields.text("download_password", SenderForm.MAX_PASSWORD);
        boolean changePassword = fields.has("download_password");
        SenderForm.Limits limits = SenderForm.limits(fields, before.settings());
        return fields.refusal()
                .<Read>map(Read.Bad::new)
                .orElseGet(() -> new Read.Change(new SenderChange(name, notify, changePassword, password, limits)));
    }

    /** @param hashed of the new password, null where there is none */
    ConnectionSettings settings(Connection.Sender before, @Nullable PasswordHash hashed) {
        return limits.with(changePassword ? hashed : before.settings().downloadPassword());
    }

    /** Without what is secret in it. */
    @Override
    public String toString() {
        return "SenderChange[" + name + "]";
    }
}
