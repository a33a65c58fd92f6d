package io.syncline.model.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.Direction;
import io.syncline.model.connection.Event;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.OperatorRole;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.PreviousToken;
import io.syncline.model.connection.PullKind;
import io.syncline.model.connection.PullOutcome;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.Request;
import io.syncline.model.connection.SettingsChangeRequested;
import io.syncline.model.connection.SettingsChanged;
import io.syncline.model.connection.SettingsEvent;
import io.syncline.model.connection.SettingsRequest;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.PasswordHash;
import io.syncline.model.credential.SealedSecret;
import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.Place;
import io.syncline.model.table.TableChange;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is written is read back the same, for every type there is; anything else is refused without being quoted. */
class CodecTest {

    private static final SiteUrl SITE = SiteUrl.asSent("http://one.example");
    private static final UUID ID = UUID.fromString("018f2f3a-1b2c-7d3e-8f4a-5b6c7d8e9f00");
    private static final CredentialFingerprint FINGERPRINT = new CredentialFingerprint("ab".repeat(32));
    private static final SealedSecret SEALED = new SealedSecret("k1", new byte[]{1, 2, 3, -1});
    private static final PasswordHash PASSWORD = new PasswordHash("$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA");
    private static final ConnectionSettings SETTINGS = new ConnectionSettings(7, 1L, 2L, List.of("a"), List.of("b"),
            List.of("203.0.113.1"), 22, 6, PASSWORD, ConnectionSettings.DEFAULTS.approvalMode(), List.of("c"), 60,
            Instant.parse("2020-01-01T00:00:00Z"));

    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.678Z");

    static Stream<Event> events() {
        return Stream.of(
                new SiteEvent.ConnectionRegistered(SITE, ID, "From: One", FINGERPRINT, SEALED, true, "api", "127.0.0.1",
                        null),
                new SiteEvent.SenderCreated(SITE, ID, "Shop", FINGERPRINT, SEALED, false, false, true, SETTINGS,
                        "admin"),
                new SiteEvent.SenderConfirmed(SITE, ID), new SiteEvent.PeerStatusReported(SITE, ID, PeerWish.REVOKED),
                new SiteEvent.ConnectionApproved(SITE, Direction.RECEIVER, ID, "admin"),
                new SiteEvent.ConnectionSuspended(SITE, Direction.SENDER, ID, "late payment", "admin"),
                new SiteEvent.ConnectionReactivated(SITE, Direction.SENDER, ID, "admin"),
                new SiteEvent.ConnectionRevoked(SITE, Direction.SENDER, ID, null, "admin"),
                new SiteEvent.ConnectionDeleted(SITE, List.of(new SiteEvent.Deleted(Direction.SENDER, ID)), "peer"),
                new SiteEvent.PullGranted(SITE, ID, ID, PullKind.RECORDS, "basic", 1_000, "192.0.2.1", TIME),
                new SiteEvent.TablePulled(SITE, ID, ID, PullKind.DOWNLOAD, "basic", "192.0.2.1", 17, 4_711, TIME, 12,
                        PullOutcome.BROKEN_OFF),
                new SiteEvent.ConnectionExpired(SITE, ID, TIME),
                new SiteEvent.TransferRequested(SITE, ID, ID, "basic", "192.0.2.1", TIME),
                new SiteEvent.TransferApproved(SITE, ID, ID, "basic", TIME, "admin"),
                new SiteEvent.TransferDenied(SITE, ID, ID, "basic", null, TIME, "admin"),
                new SiteEvent.SenderChanged(SITE, ID, "Shop", true, SETTINGS, "admin"),
                new SiteEvent.TokenRotated(SITE, ID, FINGERPRINT, SEALED,
                        new PreviousToken(FINGERPRINT, Instant.parse("2026-01-02T03:04:05.678Z")),
                        "admin"),
                new SettingsChanged(true, IncomingMode.REQUIRE_PASSWORD, PASSWORD, 3, "admin"),
                new SettingsEvent.OperatorAdded("ann", OperatorRole.AUDITOR, FINGERPRINT, "admin"),
                new SettingsEvent.OperatorRemoved("ann", "admin"));
    }

    @ParameterizedTest
    @MethodSource("events")
    void event_readBackTheSame(Event event) {
        assertThat(EventCodec.read(EventCodec.typeOf(event), EventCodec.payloadOf(event))).isEqualTo(event);
    }

    @Test
    void event_everyTypeIsTested() {
        assertThat(EventCodec.types()).isEqualTo(classes(events())).isEqualTo(leaves(Event.class));
    }

    static Stream<Request> requests() {
        return Stream.of(
                new SiteRequest.RegistrationRequested(SITE, ID, "One", FINGERPRINT, SEALED, 3L, "127.0.0.1",
                        "PhoenixKit-Sync/1.0"),
                new SiteRequest.StatusChangeRequested(SITE, FINGERPRINT, PeerWish.SUSPENDED),
                new SiteRequest.DeletionRequested(SITE, FINGERPRINT),
                new SiteRequest.ConfirmationRequested(SITE, FINGERPRINT),
                new SiteRequest.SenderCreationRequested(SITE, ID, "Shop", FINGERPRINT, SEALED, true, false, SETTINGS,
                        "admin"),
                new SiteRequest.ApprovalRequested(SITE, ID, "admin"),
                new SiteRequest.SuspensionRequested(SITE, ID, null, "admin"),
                new SiteRequest.ReactivationRequested(SITE, ID, "admin"),
                new SiteRequest.RevocationRequested(SITE, ID, "gone", "admin"),
                new SiteRequest.RemovalRequested(SITE, ID, "admin"),
                new SiteRequest.PullRequested(SITE, ID, ID, PullKind.DOWNLOAD, "basic", 10_000, 1, 600, true,
                        "192.0.2.1"),
                new SiteRequest.PullReported(SITE, ID, 17, 4_711, null, 12, PullOutcome.COMPLETED),
                new SiteRequest.GrantOverdue(SITE, ID), new SiteRequest.ExpiryReached(SITE, ID),
                new SiteRequest.TransferDecisionRequested(SITE, ID, ID, false, "not now", 60, "admin"),
                new SiteRequest.SenderChangeRequested(SITE, ID, "Shop", true, SETTINGS, "admin"),
                new SiteRequest.TokenRotationRequested(SITE, ID, FINGERPRINT, SEALED, 3_600, "admin"),
                new SettingsChangeRequested(true, null, true, null, "admin"),
                new SettingsRequest.OperatorAdditionRequested("ann", OperatorRole.VIEWER, FINGERPRINT, "admin"),
                new SettingsRequest.OperatorRemovalRequested("ann", "admin"));
    }

    @ParameterizedTest
    @MethodSource("requests")
    void request_readBackTheSame(Request request) {
        Instant deadline = Instant.parse("2026-01-02T03:04:05.678Z");
        for (RequestRecord record : List.of(new RequestRecord(ID, deadline, request),
                new RequestRecord(ID, deadline, "a-version", request))) {
            assertThat(RequestRecord.read(record.toJson())).isEqualTo(record);
        }
    }

    @Test
    void request_everyTypeIsTested() {
        assertThat(RequestRecord.types()).isEqualTo(classes(requests())).isEqualTo(leaves(Request.class));
    }

    @ParameterizedTest
    @MethodSource("outcomes")
    void outcome_readBackTheSame(Outcome outcome) {
        ReplyRecord reply = new ReplyRecord(ID, 3, 17, outcome);
        assertThat(ReplyRecord.read(reply.toJson())).isEqualTo(reply);
        assertThat(ReplyRecord.readStored(ReplyRecord.storedForm(outcome))).isEqualTo(outcome);
    }

    static Stream<Outcome> outcomes() {
        return Stream.concat(
                Stream.of(Outcome.Accepted.WITHOUT_RECORD, new Outcome.Accepted(ID, ConnectionStatus.EXPIRED),
                        new Outcome.Granted(ID, 17), new Outcome.AwaitingApproval(ID)),
                Arrays.stream(Refusal.values()).map(Outcome.Refused::new));
    }

    static Stream<TableChange> changes() {
        TableSchema schema = new TableSchema(new TableName("Mixed Case"),
                List.of(new ColumnInfo("id", "bigint", "NO", "nextval('x')", null, "bigint"),
                        new ColumnInfo("v", "character varying", "YES", null, 50, "character varying(50)")),
                List.of(new KeyColumn("id", "bigint", null),
                        new KeyColumn("v", "mood", "C", List.of("sad", "happy"))),
                List.of("other"));
        byte[] key = "[1]".getBytes(StandardCharsets.UTF_8);
        return Stream.of(new TableChange.SnapshotBegun(4, 2, schema),
                new TableChange.SnapshotEnded(4, 2, 50_000, Instant.parse("2026-01-02T03:04:05.678901Z")),
                new TableChange.Halted(4, 2, "column v: no wire form for type mood"), new TableChange.Dropped(4, 2),
                new TableChange.EpochBegun(4), new TableChange.Truncate(4, new Place(2, 10, 20, 0)),
                new TableChange.Upsert(4, new Place(2, 10, Long.MAX_VALUE, 3), key,
                        "{\"id\":1}".getBytes(StandardCharsets.UTF_8)),
                new TableChange.Delete(4, Place.ofSnapshot(2), key));
    }

    @ParameterizedTest
    @MethodSource("changes")
    void tableChange_readBackTheSame(TableChange change) {
        assertThat(read(new TableChangeReader(), change)).usingRecursiveComparison().isEqualTo(change);
    }

    /** A reader remembers headers: none may be taken for that of the record before. */
    @Test
    void tableChanges_readBackTheSame_byOneReader() {
        byte[] key = "[1]".getBytes(StandardCharsets.UTF_8);
        byte[] row = "{}".getBytes(StandardCharsets.UTF_8);
        List<TableChange> changes = Stream.concat(changes(),
                Stream.of(new TableChange.Upsert(5, new Place(2, 0, 0, 0), key, row),
                        new TableChange.Upsert(5, new Place(2, 0, 0, 0), key, row),
                        new TableChange.Upsert(6, new Place(2, 0, 0, 0), key, row),
                        new TableChange.Upsert(6, new Place(2, 0, 0, 1), key, row),
                        new TableChange.Delete(6, new Place(2, 0, 0, 1), key)))
                .toList();
        TableChangeReader reader = new TableChangeReader();
        for (TableChange change : changes) {
            assertThat(read(reader, change)).usingRecursiveComparison().isEqualTo(change);
        }
    }

    @Test
    void tableChange_headerUnreadable_refused_andForgotten() {
        TableChange change = new TableChange.Truncate(4, new Place(2, 10, 20, 0));
        TableChangeReader reader = new TableChangeReader();
        LogRecord record = TableChangeCodec.write(change, 5);
        assertThatThrownBy(
                () -> reader.read(
                        name -> name.equals("place")
                                ? "2.10.20".getBytes(StandardCharsets.UTF_8)
                                : record.headers().get(name),
                        null, null))
                .isInstanceOf(MalformedRecordException.class)
                .hasMessageContaining("place");
        assertThat(read(reader, change)).isEqualTo(change);
    }

    private static TableChange read(TableChangeReader reader, TableChange change) {
        LogRecord record = TableChangeCodec.write(change, 5);
        return reader.read(record.headers()::get, record.key(), record.value());
    }

    @Test
    void tableChange_everyKindIsTested() {
        assertThat(classes(changes())).isEqualTo(leaves(TableChange.class));
    }

    @Test
    void malformed_refusedWithoutQuotingIt() {
        byte[] secretish = "{\"request_id\":\"s3cret-token\"}".getBytes(StandardCharsets.UTF_8);
        assertThatThrownBy(() -> RequestRecord.read(secretish)).isInstanceOf(MalformedRecordException.class)
                .hasMessageNotContaining("s3cret");
        assertThatThrownBy(() -> RequestRecord.read("null".getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(MalformedRecordException.class);
        assertThatThrownBy(() -> EventCodec.read("syncline.connection.registered.v9", new byte[0]))
                .isInstanceOf(MalformedRecordException.class)
                .hasMessageContaining("registered.v9");
    }

    private static <T> Set<Class<?>> classes(Stream<T> values) {
        return values.map(Object::getClass).collect(Collectors.toSet());
    }

    private static Set<Class<?>> leaves(Class<?> sealed) {
        return sealed.isSealed()
                ? Arrays.stream(sealed.getPermittedSubclasses())
                        .flatMap(type -> leaves(type).stream())
                        .collect(Collectors.toSet())
                : Set.of(sealed);
    }
}
