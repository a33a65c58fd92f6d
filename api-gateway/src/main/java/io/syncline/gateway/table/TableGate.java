package io.syncline.gateway.table;

import io.syncline.gateway.http.PeerCall;
import io.syncline.gateway.http.PeerRefusal;
import io.syncline.model.connection.AccessPolicy;
import io.syncline.model.connection.AddressRange;
import io.syncline.model.connection.Refusal;
import io.syncline.model.credential.PasswordHash;
import io.syncline.model.credential.TokenHash;
import java.net.InetAddress;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Lets in who may use a connection now: asks the committed state, then {@link AccessPolicy}. */
public final class TableGate {

    private static final String PASSWORD_HEADER = "X-Download-Password";
    private static final Duration SOON = Duration.ofSeconds(1);

    private final TableAccess access;
    private final RateLimits rates;
    private final Passwords passwords;

    /** Compares download passwords. */
    public interface Passwords {
        AccessPolicy.Password compare(String given, PasswordHash stored);
    }

    TableGate(TableAccess access, RateLimits rates, Passwords passwords) {
        this.access = access;
        this.rates = rates;
        this.passwords = passwords;
    }

    /** Whether a caller may use its connection now. */
    sealed interface Admission {
        record Admitted(TableAccess.Sender sender) implements Admission {}

        record Refused(PeerRefusal refusal) implements Admission {}
    }

    /** @param password as the body has it; else the header's counts */
    Admission admit(PeerCall call, TokenHash hash, Optional<String> password) throws SQLException {
        Optional<TableAccess.Sender> found = access.sender(hash);
        if (found.isEmpty()) {
            return new Admission.Refused(PeerRefusal.Known.INVALID_CONNECTION);
        }
        TableAccess.Sender sender = found.get();
        Asked asked = new Asked(sender, call, password);
        Optional<Refusal> refusal = AccessPolicy.refusal(sender.status(), sender.settings(), asked);
        return refusal.<Admission>map(refused -> new Admission.Refused(switch (refused) {
            case RATE_EXCEEDED -> new PeerRefusal.TooManyRequests(asked.wait);
            case PASSWORDS_BUSY -> new PeerRefusal.Unavailable(refused.sentence(), SOON);
            case Refusal other -> new PeerRefusal.Refused(other);
        })).orElseGet(() -> new Admission.Admitted(sender));
    }

    private final class Asked implements AccessPolicy.Call {

        private final TableAccess.Sender sender;
        private final PeerCall call;
        private final Optional<String> password;
        private Duration wait = Duration.ZERO;

        Asked(TableAccess.Sender sender, PeerCall call, Optional<String> password) {
            this.sender = sender;
            this.call = call;
            this.password = password;
        }

        @Override
        public Instant at() {
            return sender.at();
        }

        @Override
        public @Nullable InetAddress address() {
            return AddressRange.address(call.remoteAddress()).orElse(null);
        }

        @Override
        public boolean withinRate() {
            wait = rates.take(sender.uuid(), sender.settings().rateLimitRequestsPerMinute());
            return wait.isZero();
        }

        @Override
        public AccessPolicy.Password password() {
            PasswordHash stored = sender.settings().downloadPassword();
            Optional<String> given = password.or(() -> call.header(PASSWORD_HEADER).filter(text -> !text.isEmpty()));
            if (stored == null || given.isEmpty()) {
                return AccessPolicy.Password.MISSING;
            }
            return passwords.compare(given.get(), stored);
        }
    }
}
