package io.syncline.gateway.table;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.syncline.gateway.http.CallFields;
import io.syncline.gateway.http.PeerAnswer;
import io.syncline.gateway.http.PeerCall;
import io.syncline.gateway.http.PeerRefusal;
import io.syncline.gateway.table.TableReads.Found;
import io.syncline.gateway.table.TableReads.Listed;
import io.syncline.model.connection.AccessPolicy;
import io.syncline.model.connection.Refusal;
import io.syncline.model.credential.TokenHash;
import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.io.JsonStringEncoder;
import tools.jackson.databind.JsonNode;

/** The calls by which a receiver lists, looks at and pulls our tables. Each in the protocol's order of checks. */
public final class TableEndpoints {

    private static final long DEFAULT_RECORDS = 10;
    private static final long MAX_RECORDS = 100;
    private static final Set<String> CONFLICT_STRATEGIES = Set.of("skip", "overwrite", "merge", "append");
    /** These peers tell bytes from text by a mark, and want it. */
    private static final String MARKS_BINARY = "PhoenixKit-Sync/";

    private static final Duration SOON = Duration.ofSeconds(1);
    private static final Duration WHEN_COPIED = Duration.ofSeconds(5);
    private static final Duration WHEN_MENDED = Duration.ofMinutes(1);

    private static final PeerAnswer TABLE_NOT_FOUND = PeerAnswer.refused(PeerRefusal.Known.TABLE_NOT_FOUND);
    private static final PeerAnswer TOO_MANY_STREAMS = PeerAnswer.refused(
            new PeerRefusal.Unavailable("Too many pulls are running; try again later", SOON));

    /**
     * Not 404: the table is there, and a receiver that believed otherwise might throw its copy away. Not the last state
     * before the fault either: it would be taken for the present one.
     */
    private static final PeerAnswer MARKED = PeerAnswer.refused(new PeerRefusal.Unavailable(
            "Table cannot be served now, this site's operator has been told why; try again later", WHEN_MENDED));

    private final TableAccess access;
    private final TableGate gate;
    private final TableReads reads;
    private final RowStream rows;
    private final PullLedger ledger;

    /** @param liveGateways how many share a connection's rate of calls */
    public TableEndpoints(TableAccess access, TableGate.Passwords passwords, IntSupplier liveGateways, TableReads reads,
            RowStream rows, PullLedger ledger) {
        this.access = access;
        this.gate = new TableGate(access, new RateLimits(System::nanoTime, liveGateways), passwords);
        this.reads = reads;
        this.rows = rows;
        this.ledger = ledger;
    }

    /** What every table call presents. */
    private record Caller(PeerCall call, TokenHash hash, Optional<String> password) {

        static Caller read(PeerCall call, CallFields fields) {
            return new Caller(call, TokenHash.asSent(fields.text("auth_token_hash")), Optional.empty());
        }

        /** Read last: it is the last of the fields in the protocol's order. */
        Caller with(CallFields fields) {
            return new Caller(call, hash, fields.optionalText("password"));
        }

        /** Without what is secret in it. */
        @Override
        public String toString() {
            return "Caller[" + call.id() + "]";
        }
    }

    private record Tables(boolean success, List<Listed> tables) {}

    public PeerAnswer listTables(PeerCall call) throws SQLException {
        if (!access.enabled()) {
            return disabled();
        }
        CallFields fields = new CallFields(call.body());
        Caller caller = Caller.read(call, fields).with(fields);
        Optional<PeerRefusal> refusal = fields.refusal();
        if (refusal.isPresent()) {
            return PeerAnswer.refused(refusal.get());
        }
        return switch (gate.admit(caller.call(), caller.hash(), caller.password())) {
            case TableGate.Admission.Refused refused -> PeerAnswer.refused(refused.refusal());
            case TableGate.Admission.Admitted admitted -> PeerAnswer.ok(new Tables(true,
                    reads.list()
                            .stream()
                            .filter(table -> AccessPolicy.serves(admitted.sender().settings(),
                                    new TableName(table.name())))
                            .toList()));
        };
    }

    private record Schema(boolean success, SchemaOf schema) {}

    private record SchemaOf(String tableName, List<Column> columns) {}

    @JsonInclude(JsonInclude.Include.ALWAYS)
    private record Column(
            String columnName,
            String dataType,
            String isNullable,
            @Nullable String columnDefault,
            @Nullable Integer characterMaximumLength) {

        static Column of(ColumnInfo info) {
            return new Column(info.columnName(), info.dataType(), info.isNullable(), info.columnDefault(),
                    info.characterMaximumLength());
        }
    }

    public PeerAnswer tableSchema(PeerCall call) throws SQLException {
        if (!access.enabled()) {
            return disabled();
        }
        CallFields fields = new CallFields(call.body());
        Caller caller = Caller.read(call, fields);
        String name = tableName(fields);
        caller = caller.with(fields);
        Optional<PeerRefusal> refusal = fields.refusalInSentence();
        if (refusal.isPresent()) {
            return PeerAnswer.refused(refusal.get());
        }
        return switch (find(caller, name)) {
            case Lookup.Refused refused -> refused.answer();
            case Lookup.Admitted(TableAccess.Sender sender, Found found) -> switch (found) {
                case Found.Served served -> schema(served.table().schema());
                case Found.Waiting waiting when waiting.schema() != null -> schema(waiting.schema());
                case Found.Waiting waiting -> unserved(waiting);
                case Found.Marked marked -> MARKED;
            };
        };
    }

    public PeerAnswer pullData(PeerCall call) throws SQLException, InterruptedException {
        if (!access.enabled()) {
            return disabled();
        }
        CallFields fields = new CallFields(call.body());
        Caller caller = Caller.read(call, fields);
        String name = tableName(fields);
        // Only checked: what to do with rows that are there already is the receiver's own matter.
        Optional<String> strategy = fields.optionalText("conflict_strategy");
        if (strategy.isPresent() && !CONFLICT_STRATEGIES.contains(strategy.get())) {
            fields.reject("conflict_strategy");
        }
        caller = caller.with(fields);
        Optional<PeerRefusal> refusal = fields.refusal();
        if (refusal.isPresent()) {
            return PeerAnswer.refused(refusal.get());
        }
        return switch (find(caller, name)) {
            case Lookup.Refused refused -> refused.answer();
            case Lookup.Admitted(TableAccess.Sender sender, Found found) -> switch (found) {
                case Found.Served(ServedTable table) -> download(call, sender, table);
                case Found.Waiting waiting -> unserved(waiting);
                case Found.Marked marked -> MARKED;
            };
        };
    }

    /** The optional fields of {@code table-records} as they were sent; of which kind ids must be, the table's key says. */
    private record Page(
            Optional<List<JsonNode>> ids,
            Optional<JsonNode> start,
            Optional<JsonNode> end,
            long offset,
            long limit) {

        static Page read(CallFields fields) {
            OptionalLong limit = fields.optionalCount("limit");
            OptionalLong offset = fields.optionalCount("offset");
            return new Page(fields.optionalList("ids"), fields.optional("id_start"), fields.optional("id_end"),
                    offset.orElse(0), Math.min(limit.orElse(DEFAULT_RECORDS), MAX_RECORDS));
        }
    }

    public PeerAnswer tableRecords(PeerCall call) throws SQLException, InterruptedException {
        if (!access.enabled()) {
            return disabled();
        }
        CallFields fields = new CallFields(call.body());
        Caller caller = Caller.read(call, fields);
        String name = tableName(fields);
        Page page = Page.read(fields);
        caller = caller.with(fields);
        Optional<PeerRefusal> refusal = fields.refusalInSentence();
        if (refusal.isPresent()) {
            return PeerAnswer.refused(refusal.get());
        }
        return switch (find(caller, name)) {
            case Lookup.Refused refused -> refused.answer();
            case Lookup.Admitted(TableAccess.Sender sender, Found found) -> switch (found) {
                case Found.Served(ServedTable table) -> records(call, sender, table, page);
                case Found.Waiting waiting -> unserved(waiting);
                case Found.Marked marked -> MARKED;
            };
        };
    }

    private PeerAnswer records(PeerCall call, TableAccess.Sender sender, ServedTable table, Page page)
            throws SQLException, InterruptedException {
        List<KeyColumn> key = table.schema().key();
        CallFields fields = new CallFields(call.body());
        List<String> ids = page.ids().map(list -> texts(key, list, fields, "ids")).orElse(null);
        List<String> start = page.start().map(id -> texts(key, List.of(id), fields, "id_start")).orElse(List.of());
        List<String> end = page.end().map(id -> texts(key, List.of(id), fields, "id_end")).orElse(List.of());
        RowQuery query = new RowQuery(table.replicaName(), key.size(), ids, start.isEmpty() ? null : start.getFirst(),
                end.isEmpty() ? null : end.getFirst(), page.offset(), page.limit());
        if (fields.refusal().isEmpty()) {
            reads.valueOutsideKey(query).ifPresent(fields::reject);
        }
        Optional<PeerRefusal> refusal = fields.refusal();
        if (refusal.isPresent()) {
            return PeerAnswer.refused(refusal.get());
        }
        // Beyond the last row: not worth counting up to it.
        long offset = Math.min(page.offset(), table.rows());
        return switch (ledger.records(PullLedger.Caller.of(call), sender, table, page.limit())) {
            case PullLedger.Answer.No no -> no.answer();
            case PullLedger.Answer.Yes yes -> stream(call, table, "{\"success\":true,\"records\":[",
                    query.from(offset).atMost(yes.pull().records()), yes.pull());
        };
    }

    private PeerAnswer download(PeerCall call, TableAccess.Sender sender, ServedTable table)
            throws InterruptedException {
        int most = sender.settings().maxRecordsPerRequest();
        return switch (ledger.download(PullLedger.Caller.of(call), sender, table, Math.min(most, table.rows()))) {
            case PullLedger.Answer.No no -> no.answer();
            case PullLedger.Answer.Yes yes -> stream(call, table,
                    "{\"success\":true,\"table\":" + json(table.name()) + ",\"data\":[",
                    // Where nothing is counted, rows that have come since the table was looked up are given too.
                    RowQuery.first(table, yes.pull().counted() ? yes.pull().records() : most), yes.pull());
        };
    }

    private static List<String> texts(List<KeyColumn> key, List<JsonNode> values, CallFields fields, String field) {
        return KeyValues.texts(key, values).orElseGet(() -> {
            fields.reject(field);
            return List.of();
        });
    }

    private PeerAnswer stream(PeerCall call, ServedTable table, String head, RowQuery query, Pull pull)
            throws InterruptedException {
        boolean marksBinary = call.userAgent().filter(agent -> agent.startsWith(MARKS_BINARY)).isPresent();
        Tally tally = new Tally();
        Optional<PeerAnswer.JsonStream> stream = rows.open(head, query,
                marksBinary ? table.binaryColumns() : Set.of(), tally);
        if (stream.isEmpty()) {
            pull.unused();
            return TOO_MANY_STREAMS;
        }
        return PeerAnswer.streamed(out -> pull.give(stream.get(), tally, out));
    }

    /** A table for a caller who may see it. */
    private sealed interface Lookup {
        record Admitted(TableAccess.Sender sender, Found found) implements Lookup {}

        record Refused(PeerAnswer answer) implements Lookup {}
    }

    private Lookup find(Caller caller, String name) throws SQLException {
        return switch (gate.admit(caller.call(), caller.hash(), caller.password())) {
            case TableGate.Admission.Refused refused -> new Lookup.Refused(PeerAnswer.refused(refused.refusal()));
            case TableGate.Admission.Admitted(TableAccess.Sender sender) -> {
                // A table that is not allowed is not found, as if it were not there.
                if (!TableName.possible(name) || !AccessPolicy.serves(sender.settings(), new TableName(name))) {
                    yield new Lookup.Refused(TABLE_NOT_FOUND);
                }
                Optional<Found> found = reads.find(new TableName(name));
                yield found.isEmpty()
                        ? new Lookup.Refused(TABLE_NOT_FOUND)
                        : new Lookup.Admitted(sender, found.get());
            }
        };
    }

    /** Any text: one that can name no table, for instance with NUL, names none that is served. */
    private static String tableName(CallFields fields) {
        JsonNode value = fields.required("table_name");
        if (!value.isMissingNode() && !value.isString()) {
            fields.reject("table_name");
        }
        return value.isString() ? value.stringValue() : "";
    }

    private static PeerAnswer schema(TableSchema schema) {
        return PeerAnswer.ok(new Schema(true,
                new SchemaOf(schema.table().name(), schema.columns().stream().map(Column::of).toList())));
    }

    private static PeerAnswer unserved(Found.Waiting waiting) {
        return PeerAnswer.refused(new PeerRefusal.Unavailable(String.format(Locale.ROOT,
                "Table is being copied for the first time, %,d rows so far; try again later", waiting.rowsSoFar()),
                WHEN_COPIED));
    }

    private static PeerAnswer disabled() {
        return PeerAnswer.refused(new PeerRefusal.Refused(Refusal.MODULE_DISABLED));
    }

    private static String json(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        JsonStringEncoder.getInstance().quoteAsString(text, quoted);
        return quoted.append('"').toString();
    }
}
