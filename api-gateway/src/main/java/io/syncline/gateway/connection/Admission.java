package io.syncline.gateway.connection;

import io.syncline.gateway.http.CallFields;
import io.syncline.gateway.http.PeerRefusal;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.AuthToken;
import io.syncline.model.credential.PasswordHash;
import io.syncline.model.credential.TokenHash;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** What committed state and the call itself settle, in the protocol's order; everything else is for a worker to decide. */
final class Admission {

    /** {@code From: } makes it 255 with the prefix that the record's name gets. */
    static final int MAX_CONNECTION_NAME = 249;
    static final int MAX_AUTH_TOKEN = 255;

    private Admission() {}

    /** A call that may go on, as what was read of it, or the refusal that ends it. */
    sealed interface Verdict<T> {
        record Admitted<T>(T call) implements Verdict<T> {}

        record Refused<T>(PeerRefusal refusal) implements Verdict<T> {}
    }

    /**
     * {@code register-connection}.
     *
     * @param passwordToCompare the hash that the password must fit before the call may go on; null where none is asked for
     */
    record Registration(
            SiteUrl sender,
            String connectionName,
            AuthToken token,
            String password,
            @Nullable PasswordHash passwordToCompare) {

        /** Without what is secret in it. */
        @Override
        public String toString() {
            return "Registration[" + sender + "]";
        }
    }

    static Verdict<Registration> registration(ModuleSettings settings, JsonNode body) {
        if (!settings.enabled()) {
            return refused(Refusal.MODULE_DISABLED);
        }
        if (settings.incomingMode() == IncomingMode.DENY_ALL) {
            return refused(Refusal.INCOMING_DENIED);
        }
        CallFields fields = new CallFields(body);
        SiteUrl sender = siteOfRecord(fields, "sender_url");
        String name = fields.text("connection_name", MAX_CONNECTION_NAME);
        String token = fields.text("auth_token", MAX_AUTH_TOKEN);
        Optional<String> password = fields.optionalText("password");
        Optional<PeerRefusal> refusal = fields.refusal();
        if (refusal.isPresent()) {
            return new Verdict.Refused<>(refusal.get());
        }
        PasswordHash stored = null;
        if (settings.incomingMode() == IncomingMode.REQUIRE_PASSWORD) {
            stored = settings.incomingPassword();
            if (stored == null || password.isEmpty()) {
                return refused(Refusal.PASSWORD_REQUIRED);
            }
        }
        return new Verdict.Admitted<>(
                new Registration(sender, name, new AuthToken(token), password.orElse(""), stored));
    }

    /** {@code verify-connection} and {@code delete-connection}. */
    record Reference(SiteUrl site, TokenHash hash) {}

    static Verdict<Reference> reference(JsonNode body) {
        CallFields fields = new CallFields(body);
        SiteUrl site = SiteUrl.asSent(fields.text("sender_url"));
        TokenHash hash = TokenHash.asSent(fields.text("auth_token_hash"));
        return verdict(fields, new Reference(site, hash));
    }

    /** {@code get-connection-status}; the receiver's URL is asked for and nothing is made of it. */
    static Verdict<TokenHash> receiver(JsonNode body) {
        CallFields fields = new CallFields(body);
        fields.text("receiver_url");
        TokenHash hash = TokenHash.asSent(fields.text("auth_token_hash"));
        return verdict(fields, hash);
    }

    /** {@code update-status}. */
    record StatusUpdate(SiteUrl sender, TokenHash hash, PeerWish wish) {}

    static Verdict<StatusUpdate> statusUpdate(JsonNode body) {
        CallFields fields = new CallFields(body);
        SiteUrl sender = SiteUrl.asSent(fields.text("sender_url"));
        TokenHash hash = TokenHash.asSent(fields.text("auth_token_hash"));
        JsonNode status = fields.required("status");
        Optional<PeerRefusal> refusal = fields.refusal();
        if (refusal.isPresent()) {
            return new Verdict.Refused<>(refusal.get());
        }
        Optional<PeerWish> wish = status.isString() ? PeerWish.parse(status.stringValue()) : Optional.empty();
        return wish.<Verdict<StatusUpdate>>map(
                known -> new Verdict.Admitted<>(new StatusUpdate(sender, hash, known)))
                .orElseGet(() -> new Verdict.Refused<>(PeerRefusal.Known.INVALID_STATUS));
    }

    private static SiteUrl siteOfRecord(CallFields fields, String name) {
        String text = fields.text(name);
        try {
            return text.isEmpty() ? SiteUrl.asSent(text) : SiteUrl.ofRecord(text);
        } catch (IllegalArgumentException e) {
            fields.reject(name);
            return SiteUrl.asSent(text);
        }
    }

    private static <T> Verdict<T> verdict(CallFields fields, T call) {
        return fields.refusal().<Verdict<T>>map(Verdict.Refused::new).orElseGet(() -> new Verdict.Admitted<>(call));
    }

    private static <T> Verdict<T> refused(Refusal refusal) {
        return new Verdict.Refused<>(new PeerRefusal.Refused(refusal));
    }
}
