package io.syncline.model.connection;

import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * All that is known of one site: its record in each direction, what our operator imposed on each, and what is pulled. The value that
 * {@code worker.connection} decides on; folded from events here and nowhere else.
 */
public record Site(
        SiteUrl url,
        Connection.@Nullable Sender sender,
        Connection.@Nullable Receiver receiver,
        Map<Direction, Imposition> impositions,
        Pulls pulls) {

    public Site {
        impositions = Map.copyOf(impositions);
    }

    public static Site unknown(SiteUrl url) {
        return new Site(url, null, null, Map.of(), Pulls.NONE);
    }

    /** The state that a site's events, in their order, add up to. */
    public static Site replay(SiteUrl url, List<Dated> events) {
        Site site = unknown(url);
        for (Dated dated : events) {
            site = site.evolve(dated.event(), dated.at());
        }
        return site;
    }

    /** An event and when it happened. */
    public record Dated(SiteEvent event, Instant at) {}

    public Optional<Connection> connection(Direction direction) {
        return Optional.ofNullable(switch (direction) {
            case SENDER -> sender;
            case RECEIVER -> receiver;
        });
    }

    /** The record with this UUID, if it is one of this site's. */
    public Optional<Connection> connection(UUID uuid) {
        return records().stream().filter(connection -> connection.uuid().equals(uuid)).findFirst();
    }

    public List<Connection> records() {
        return java.util.stream.Stream.<@Nullable Connection>of(sender, receiver)
                .filter(Objects::nonNull)
                .map(Objects::requireNonNull)
                .toList();
    }

    public Optional<Imposition> imposition(Direction direction) {
        return Optional.ofNullable(impositions.get(direction));
    }

    /** The status in force: the stricter of what the record says and of what our operator imposed. */
    public ConnectionStatus status(Connection connection, Instant now) {
        ConnectionStatus own = connection.ownStatus(now);
        return imposition(connection.direction()).map(imposed -> own.stricterOf(imposed.kind().status())).orElse(own);
    }

    /**
     * The site after a fact. A fact that cannot have happened to this state (a record that is not there, one that is
     * there already) throws {@link IllegalStateException}: the log or the database was tampered with.
     */
    public Site evolve(SiteEvent event, Instant at) {
        if (!event.siteUrl().equals(url)) {
            throw new IllegalStateException("an event of '" + event.siteUrl() + "' cannot happen to '" + url + "'");
        }
        return switch (event) {
            case SiteEvent.OfPulls e -> new Site(url, sender, receiver, impositions,
                    pulls.evolve(e, sender == null ? null : sender.uuid(), at));
            case SiteEvent.ConnectionRegistered e -> {
                require(receiver == null, event, "there is a receiver record already");
                var made = new Connection.Receiver(e.connectionUuid(), url, e.name(), e.fingerprint(), e.sealedToken(),
                        PeerWish.ACTIVE, e.registeredVia(), e.remoteIp(), e.userAgent(), at, at);
                yield new Site(url, sender, made,
                        waiting(Direction.RECEIVER, e.awaitingApproval(), "incoming_mode", at), pulls);
            }
            case SiteEvent.SenderCreated e -> {
                require(sender == null, event, "there is a sender record already");
                var made = new Connection.Sender(e.connectionUuid(), url, e.name(), e.fingerprint(), e.sealedToken(),
                        List.of(), e.confirmed(), e.notifyPeer(), e.settings(), e.by(), at, at);
                yield new Site(url, made, receiver, waiting(Direction.SENDER, e.awaitingApproval(), e.by(), at),
                        pulls);
            }
            case SiteEvent.SenderChanged e -> {
                var found = recordOf(sender, e.connectionUuid(), event);
                yield new Site(url, found.changed(e.name(), e.notifyPeer(), e.settings(), at), receiver, impositions,
                        pulls);
            }
            case SiteEvent.TokenRotated e -> {
                var found = recordOf(sender, e.connectionUuid(), event);
                yield new Site(url, found.rotated(e.fingerprint(), e.sealedToken(), e.previous(), at), receiver,
                        impositions, pulls);
            }
            case SiteEvent.SenderConfirmed e -> {
                var found = recordOf(sender, e.connectionUuid(), event);
                yield new Site(url, found.confirmed(at), receiver, impositions, pulls);
            }
            case SiteEvent.PeerStatusReported e -> {
                var found = recordOf(receiver, e.connectionUuid(), event);
                yield new Site(url, sender, found.wishing(e.status(), at), impositions, pulls);
            }
            case SiteEvent.ConnectionApproved e -> {
                Site lifted = touched(e.direction(), e.connectionUuid(), event, at).imposing(e.direction(), null);
                // An operator's approval stands for the proof that a pending sender's receiver has not given yet.
                yield e.direction() == Direction.SENDER && lifted.sender != null
                        ? new Site(url, lifted.sender.confirmed(at), lifted.receiver, lifted.impositions, pulls)
                        : lifted;
            }
            case SiteEvent.ConnectionSuspended e -> touched(e.direction(), e.connectionUuid(), event, at).imposing(
                    e.direction(), new Imposition(Imposition.Kind.SUSPENDED, e.reason(), e.by(), at));
            case SiteEvent.ConnectionRevoked e -> touched(e.direction(), e.connectionUuid(), event, at).imposing(
                    e.direction(), new Imposition(Imposition.Kind.REVOKED, e.reason(), e.by(), at));
            case SiteEvent.ConnectionReactivated e ->
                    touched(e.direction(), e.connectionUuid(), event, at).imposing(e.direction(), null);
            case SiteEvent.ConnectionDeleted e -> {
                Connection.Sender nextSender = sender;
                Connection.Receiver nextReceiver = receiver;
                for (SiteEvent.Deleted deleted : e.records()) {
                    switch (deleted.direction()) {
                        case SENDER -> {
                            recordOf(nextSender, deleted.connectionUuid(), event);
                            nextSender = null;
                        }
                        case RECEIVER -> {
                            recordOf(nextReceiver, deleted.connectionUuid(), event);
                            nextReceiver = null;
                        }
                    }
                }
                yield new Site(url, nextSender, nextReceiver, impositions,
                        sender != null && nextSender == null ? pulls.withoutRecord() : pulls);
            }
        };
    }

    private Map<Direction, Imposition> waiting(Direction direction, boolean awaiting, String by, Instant at) {
        return imposing(direction,
                awaiting ? Imposition.waiting(impositions.get(direction), by, at) : null).impositions;
    }

    private Site imposing(Direction direction, @Nullable Imposition imposition) {
        Map<Direction, Imposition> next = new EnumMap<>(Direction.class);
        next.putAll(impositions);
        if (imposition == null) {
            next.remove(direction);
        } else {
            next.put(direction, imposition);
        }
        return new Site(url, sender, receiver, next, pulls);
    }

    private Site touched(Direction direction, UUID uuid, SiteEvent event, Instant at) {
        return switch (direction) {
            case SENDER -> new Site(url, recordOf(sender, uuid, event).touched(at), receiver, impositions,
                    pulls);
            case RECEIVER -> new Site(url, sender, recordOf(receiver, uuid, event).touched(at), impositions,
                    pulls);
        };
    }

    private static <C extends Connection> C recordOf(@Nullable C connection, UUID uuid, SiteEvent event) {
        if (connection == null || !connection.uuid().equals(uuid)) {
            throw impossible(event, "record " + uuid + " is not there");
        }
        return connection;
    }

    private static void require(boolean condition, SiteEvent event, String why) {
        if (!condition) {
            throw impossible(event, why);
        }
    }

    private static IllegalStateException impossible(SiteEvent event, String why) {
        return new IllegalStateException(
                event.getClass().getSimpleName() + " cannot have happened to '" + event.siteUrl() + "': " + why);
    }
}
