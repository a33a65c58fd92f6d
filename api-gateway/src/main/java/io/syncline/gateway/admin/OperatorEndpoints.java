package io.syncline.gateway.admin;

import io.syncline.gateway.admin.Views.AppointedView;
import io.syncline.gateway.admin.Views.OperatorView;
import io.syncline.gateway.admin.Views.OperatorsView;
import io.syncline.gateway.connection.ConnectionReads;
import io.syncline.gateway.dispatch.RequestDispatcher;
import io.syncline.gateway.http.Caller.Permission;
import io.syncline.gateway.http.OperatorAnswer;
import io.syncline.gateway.http.OperatorCall;
import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.gateway.http.OperatorRoutes;
import io.syncline.model.connection.Operator;
import io.syncline.model.connection.OperatorRole;
import io.syncline.model.connection.SettingsRequest;
import io.syncline.model.credential.AuthToken;
import io.syncline.model.credential.CredentialKeys;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.util.Optional;

/** Who has a token of their own for the operators' API; only the holder of the configured token says so. */
public final class OperatorEndpoints {

    /** What a token of ours begins with, for those who look for lost ones. */
    private static final String PREFIX = "syncline_";

    private final ConnectionReads reads;
    private final Ring ring;
    private final CredentialKeys keys;
    private final SecureRandom random;

    public OperatorEndpoints(ConnectionReads reads, RequestDispatcher dispatcher, CredentialKeys keys,
            SecureRandom random) {
        this.reads = reads;
        this.ring = new Ring(dispatcher);
        this.keys = keys;
        this.random = random;
    }

    /** Puts this room's paths among those of the operators. */
    public OperatorRoutes addTo(OperatorRoutes routes) {
        return routes.on("GET", "/operators", Permission.AUDIT, this::list)
                .on("POST", "/operators", Permission.APPOINT, this::appoint)
                .on("DELETE", "/operators/{name}", Permission.APPOINT, this::dismiss);
    }

    private OperatorAnswer list(OperatorCall call) throws SQLException {
        return new OperatorAnswer.Ok(
                new OperatorsView(reads.settings().operators().stream().map(OperatorView::of).toList()));
    }

    private OperatorAnswer appoint(OperatorCall call) {
        OperatorFields fields = new OperatorFields(call.body());
        Optional<String> name = fields.parsed("name", text -> Optional.of(text).filter(Operator::mayBeCalled),
                "must be 1 to 63 of a-z, 0-9 and . _ @ -, not beginning with a sign, and not 'admin', 'peer' or"
                        + " 'incoming_mode'");
        Optional<OperatorRole> role = fields.parsed("role", OperatorRole::parse,
                "must be 'viewer', 'auditor' or 'operator'");
        for (String needed : new String[]{"name", "role"}) {
            if (!fields.has(needed) || fields.isNull(needed)) {
                fields.reject(needed, "is missing");
            }
        }
        Optional<OperatorRefusal> refusal = fields.refusal();
        if (refusal.isPresent()) {
            return new OperatorAnswer.No(refusal.get());
        }
        AuthToken token = new AuthToken(PREFIX + AuthToken.random(random).text());
        return ring.ask(call, new SettingsRequest.OperatorAdditionRequested(name.orElseThrow(), role.orElseThrow(),
                keys.fingerprint(token.hash()), call.by()))
                .orElseGet(() -> new OperatorAnswer.Created("/operators/" + name.get(),
                        new AppointedView(name.get(), role.get(), token.text())));
    }

    private OperatorAnswer dismiss(OperatorCall call) {
        return ring.ask(call, new SettingsRequest.OperatorRemovalRequested(call.name(), call.by()))
                .orElseGet(OperatorAnswer.Done::new);
    }
}
