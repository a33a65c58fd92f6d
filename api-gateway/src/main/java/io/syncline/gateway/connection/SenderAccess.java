package io.syncline.gateway.connection;

import io.syncline.gateway.table.TableAccess;
import io.syncline.model.connection.AccessPolicy;
import io.syncline.model.connection.Connection;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.credential.TokenHash;
import io.syncline.model.table.TableName;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Tells the table calls which connection a presented hash opens. */
public final class SenderAccess implements TableAccess {

    private final ConnectionReads reads;
    private final CredentialKeys keys;

    public SenderAccess(ConnectionReads reads, CredentialKeys keys) {
        this.reads = reads;
        this.keys = keys;
    }

    @Override
    public boolean enabled() throws SQLException {
        return reads.enabled();
    }

    @Override
    public Set<Running> allowed(Set<Running> running) throws SQLException {
        if (!reads.enabled()) {
            return Set.of();
        }
        Map<UUID, ConnectionReads.Found> records = reads
                .senders(running.stream().map(Running::connection).collect(Collectors.toSet()))
                .stream()
                .collect(Collectors.toMap(found -> found.connection().uuid(), Function.identity()));
        Set<Running> allowed = new HashSet<>();
        for (Running one : running) {
            ConnectionReads.Found found = records.get(one.connection());
            if (found != null && allowed(found, one.table())) {
                allowed.add(one);
            }
        }
        return allowed;
    }

    private boolean allowed(ConnectionReads.Found found, TableName table) throws SQLException {
        return AccessPolicy.usable(found.status()).isEmpty()
                && found.connection() instanceof Connection.Sender sender
                && AccessPolicy.serves(sender.settings(), table)
                && (!AccessPolicy.needsApproval(sender.settings(), table.name())
                        || approved(sender.siteUrl(), table.name()));
    }

    @Override
    public boolean approved(SiteUrl site, String table) throws SQLException {
        return reads.approved(site, table);
    }

    @Override
    public Optional<Sender> sender(TokenHash hash) throws SQLException {
        return reads.pulledSender(keys.fingerprint(hash)).flatMap(found -> switch (found.record().connection()) {
            case Connection.Sender sender -> Optional.of(new Sender(sender.uuid(), sender.siteUrl(),
                    found.record().status(), sender.settings(), found.use(), found.record().at()));
            case Connection.Receiver receiver -> Optional.empty();
        });
    }
}
