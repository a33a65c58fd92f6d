package io.syncline.model.log;

import io.syncline.model.connection.Event;
import io.syncline.model.connection.SettingsChanged;
import io.syncline.model.connection.SettingsEvent;
import io.syncline.model.connection.SiteEvent;
import java.util.Set;

/** Events as JSON payloads with versioned type names. The log is for ever: a type that was written once stays readable. */
public final class EventCodec {

    private static final TypeNames<Event> TYPES = new TypeNames<Event>()
            .with("syncline.connection.registered.v1", SiteEvent.ConnectionRegistered.class)
            .with("syncline.connection.sender-created.v1", SiteEvent.SenderCreated.class)
            .with("syncline.connection.sender-changed.v1", SiteEvent.SenderChanged.class)
            .with("syncline.connection.token-rotated.v1", SiteEvent.TokenRotated.class)
            .with("syncline.connection.sender-confirmed.v1", SiteEvent.SenderConfirmed.class)
            .with("syncline.connection.peer-status-reported.v1", SiteEvent.PeerStatusReported.class)
            .with("syncline.connection.approved.v1", SiteEvent.ConnectionApproved.class)
            .with("syncline.connection.suspended.v1", SiteEvent.ConnectionSuspended.class)
            .with("syncline.connection.reactivated.v1", SiteEvent.ConnectionReactivated.class)
            .with("syncline.connection.revoked.v1", SiteEvent.ConnectionRevoked.class)
            .with("syncline.connection.deleted.v1", SiteEvent.ConnectionDeleted.class)
            .with("syncline.connection.pull-granted.v1", SiteEvent.PullGranted.class)
            .with("syncline.connection.table-pulled.v1", SiteEvent.TablePulled.class)
            .with("syncline.connection.expired.v1", SiteEvent.ConnectionExpired.class)
            .with("syncline.connection.transfer-requested.v1", SiteEvent.TransferRequested.class)
            .with("syncline.connection.transfer-approved.v1", SiteEvent.TransferApproved.class)
            .with("syncline.connection.transfer-denied.v1", SiteEvent.TransferDenied.class)
            .with("syncline.settings.changed.v1", SettingsChanged.class)
            .with("syncline.operator.added.v1", SettingsEvent.OperatorAdded.class)
            .with("syncline.operator.removed.v1", SettingsEvent.OperatorRemoved.class);

    private EventCodec() {}

    public static String typeOf(Event event) {
        return TYPES.nameOf(event);
    }

    public static byte[] payloadOf(Event event) {
        return Json.write(event);
    }

    /** The event of a type name and its payload; {@link MalformedRecordException} for anything else. */
    public static Event read(String type, byte[] payload) {
        return Json.read(payload, TYPES.classOf(type));
    }

    static Set<Class<? extends Event>> types() {
        return TYPES.types();
    }
}
