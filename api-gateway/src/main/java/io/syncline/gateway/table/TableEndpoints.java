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
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
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

    private static final PeerAnswer NO_LONGER_KNOWN = PeerAnswer.refused(new PeerRefusal.Gone(
            "What has changed since then is no longer known; pull the whole table, without since and cursor"));

    private static final PeerAnswer NO_CHANGES_WITHOUT_KEY = PeerAnswer.refused(new PeerRefusal.Gone(
            "The table has no primary key by which deleted rows could be named; pull the whole table, without since"));

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
                            .map(table -> table.dependingOn(other -> AccessPolicy
                                    .serves(admitted.sender().settings(), new TableName(other))))
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
                case Found.Served(ServedTable table) -> schema(table.schema(), table.headers());
                case Found.Waiting waiting when waiting.schema() != null -> schema(waiting.schema(), Map.of());
                case Found.Waiting waiting -> unserved(waiting);
                case Found.Marked marked -> unserved(marked);
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
        PullOptions options = PullOptions.read(fields, name, call.asksForLines());
        caller = caller.with(fields);
        Optional<PeerRefusal> refusal = fields.refusal();
        if (refusal.isPresent()) {
            return PeerAnswer.refused(refusal.get());
        }
        return switch (find(caller, name)) {
            case Lookup.Refused refused -> refused.answer();
            case Lookup.Admitted(TableAccess.Sender sender, Found found) -> switch (found) {
                case Found.Served(ServedTable table) -> download(call, sender, table, options);
                case Found.Waiting waiting -> unserved(waiting);
                case Found.Marked marked -> unserved(marked);
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
                case Found.Marked marked -> unserved(marked);
            };
        };
    }

    private PeerAnswer records(PeerCall call, TableAccess.Sender sender, ServedTable table, Page page)
            throws SQLException, InterruptedException {
        List<KeyColumn> key = table.schema().key();
        CallFields fields = new CallFields(call.body());
        Function<ServedTable, RowQuery> query = RowQuery::all;
        if (page.ids().isPresent()) {
            List<List<String>> ids = ofKey(table, KeyValues.ids(key, page.ids().get()), fields, "ids");
            boolean arrays = key.getFirst().nativeType().endsWith("[]");
            query = query.andThen(all -> all.among(ids, arrays));
        } else {
            // Both are looked at, so that all that is wrong is said at once.
            if (page.start().isPresent()) {
                List<List<String>> start = ofKey(table, KeyValues.bound(key, page.start().get()).map(List::of), fields,
                        "id_start");
                query = query.andThen(all -> all.startingAt(start.getFirst()));
            }
            if (page.end().isPresent()) {
                List<List<String>> end = ofKey(table, KeyValues.bound(key, page.end().get()).map(List::of), fields,
                        "id_end");
                query = query.andThen(all -> all.endingAt(end.getFirst()));
            }
        }
        Optional<PeerRefusal> refusal = fields.refusal();
        if (refusal.isPresent()) {
            return PeerAnswer.refused(refusal.get());
        }
        Function<ServedTable, RowQuery> asked = query;
        return switch (ledger.records(PullLedger.Caller.of(call), sender, table, page.limit())) {
            case PullLedger.Answer.No no -> no.answer();
            case PullLedger.Answer.Yes(Pull pull) -> give(call, sender, table, pull, (snapshot, now) -> {
                // Beyond the last row: not worth counting up to it.
                RowQuery rows = asked.apply(now)
                        .from(Math.min(page.offset(), now.rows()))
                        .atMost(Math.min(page.limit(), pull.records()));
                return Given.asJson(now.headers(), out -> {
                    out.text("{\"success\":true,\"records\":[");
                    out.rows(rows);
                    out.text("]}");
                });
            });
        };
    }

    /** Keys that PostgreSQL can read as such; else the field is rejected. */
    private List<List<String>> ofKey(ServedTable table, Optional<List<List<String>>> keys, CallFields fields,
            String field) throws SQLException {
        if (keys.isEmpty() || !reads.areOfKey(table, keys.get())) {
            fields.reject(field);
        }
        return keys.orElse(List.of());
    }

    private PeerAnswer download(PeerCall call, TableAccess.Sender sender, ServedTable table, PullOptions options)
            throws SQLException, InterruptedException {
        PullToken.Cursor cursor = options.cursor();
        // Whoever makes one up may put anything into it; nothing is granted for what cannot be looked for.
        if (cursor != null && !reads.areOfKey(table, List.of(cursor.last()))) {
            return NO_LONGER_KNOWN;
        }
        long most = options.most(sender.settings().maxRecordsPerRequest());
        // One at least: rows may have come when the answer is made, and what has none to give cannot say where it ended.
        long rows = Math.max(1, Math.min(most, table.rows()));
        return switch (ledger.download(PullLedger.Caller.of(call), sender, table, rows)) {
            case PullLedger.Answer.No no -> no.answer();
            case PullLedger.Answer.Yes(Pull pull) -> {
                // Where no records are counted, rows that have come since the table was looked up are given too.
                long records = pull.counted() ? Math.min(most, pull.records()) : most;
                yield give(call, sender, table, pull,
                        (snapshot, now) -> options.plain() ? first(now, records)
                                : page(snapshot, now, options, most, records));
            }
        };
    }

    /** What peers have always got: the first rows, and no way to hear of the others but the headers. */
    private static Given first(ServedTable table, long size) {
        Map<String, String> headers = new HashMap<>(table.headers());
        headers.put("X-Syncline-Has-More", Boolean.toString(table.rows() > size));
        return Given.asJson(headers, out -> {
            out.text("{\"success\":true,\"table\":" + json(table.name()) + ",\"data\":[");
            out.rows(RowQuery.all(table).atMost(size));
            out.text("]}");
        });
    }

    /**
     * A page in the key's order, and what is needed to go on from there.
     *
     * @param size    how many rows it has at most, deleted ones included
     * @param records how many that are not deleted: only those count as given
     */
    private static Given page(RowStream.Snapshot snapshot, ServedTable table, PullOptions options, long size,
            long records) throws SQLException {
        PullToken.Cursor cursor = options.cursor();
        PullToken.AsOf since = options.since();
        if (since != null && table.keyless()) {
            return new Given.No(NO_CHANGES_WITHOUT_KEY);
        }
        PullToken.AsOf asOf = cursor == null ? table.changes().asOf() : cursor.asOf();
        if (!table.changes().know(asOf) || since != null && !table.changes().know(since)
                || cursor != null && cursor.last().size() != table.schema().key().size()) {
            return new Given.No(NO_LONGER_KNOWN);
        }
        RowQuery query = RowQuery.all(table);
        if (cursor != null) {
            query = query.after(cursor.last());
        }
        if (since != null) {
            query = query.changedSince(table.changes().after(since));
        }
        List<String> end = null;
        boolean deleted = since != null;
        if (deleted && records < size) {
            end = snapshot.endOfPage(query, records, false).orElse(null);
            query = end == null ? query : query.endingAt(end);
        }
        long most = deleted ? size : records;
        if (most < Long.MAX_VALUE) {
            List<String> sooner = snapshot.endOfPage(query, most, deleted).orElse(null);
            end = sooner == null ? end : sooner;
            query = sooner == null ? query : query.endingAt(sooner);
        }
        String next = end == null ? null : new PullToken.Cursor(asOf, since, end).text(table.table());
        RowQuery rows = query;
        String tail = ",\"as_of\":" + json(asOf.text(table.table()))
                + (next == null ? ",\"has_more\":false}" : ",\"has_more\":true,\"next_cursor\":" + json(next) + "}");
        return options.lines()
                ? new Given.Yes(true, table.headers(), out -> {
                    out.lines(rows);
                    out.text("{\"success\":true,\"table\":" + json(table.name()) + ",\"rows\":" + out.rowsSoFar());
                    deleted(out, rows, since);
                    out.text(tail + "\n");
                })
                : Given.asJson(table.headers(), out -> {
                    out.text("{\"success\":true,\"table\":" + json(table.name()) + ",\"data\":[");
                    out.rows(rows);
                    out.text("]");
                    deleted(out, rows, since);
                    out.text(tail);
                });
    }

    private static void deleted(RowStream.Output out, RowQuery query, PullToken.@Nullable AsOf since)
            throws SQLException, IOException {
        if (since != null) {
            out.text(",\"deleted\":[");
            out.deletedKeys(query);
            out.text("]");
        }
    }

    /** What is to be answered from a snapshot. */
    private sealed interface Given {
        record Yes(boolean lines, Map<String, String> headers, RowStream.Body body) implements Given {}

        record No(PeerAnswer answer) implements Given {}

        static Given asJson(Map<String, String> headers, RowStream.Body body) {
            return new Yes(false, headers, body);
        }
    }

    @FunctionalInterface
    private interface Answering {
        Given answer(RowStream.Snapshot snapshot, ServedTable now) throws SQLException;
    }

    /** Answers from one snapshot, with the table as it is there: another generation may be served since it was looked up. */
    private PeerAnswer give(PeerCall call, TableAccess.Sender sender, ServedTable table, Pull pull, Answering answering)
            throws SQLException, InterruptedException {
        boolean used = false;
        RowStream.Snapshot snapshot = null;
        try {
            snapshot = rows.begin(new TableAccess.Running(sender.uuid(), table.table())).orElse(null);
            if (snapshot == null) {
                return TOO_MANY_STREAMS;
            }
            pull.begin();
            Optional<Found> found = TableReads.find(snapshot.connection(), table.table());
            if (found.isEmpty()) {
                return TABLE_NOT_FOUND;
            }
            PeerAnswer answer = switch (found.get()) {
                case Found.Served(ServedTable now) -> switch (answering.answer(snapshot, now)) {
                    case Given.No(PeerAnswer no) -> no;
                    case Given.Yes(boolean lines, Map<String, String> headers, RowStream.Body body) -> {
                        Tally tally = new Tally();
                        PeerAnswer.JsonStream stream = snapshot.stream(marked(call, now), tally, body);
                        used = true;
                        yield PeerAnswer.streamed(out -> pull.give(stream, tally, out), lines, headers);
                    }
                };
                case Found.Waiting waiting -> unserved(waiting);
                case Found.Marked marked -> unserved(marked);
            };
            return answer;
        } finally {
            if (!used) {
                pull.unused();
                if (snapshot != null) {
                    snapshot.close();
                }
            }
        }
    }

    private static Set<String> marked(PeerCall call, ServedTable table) {
        boolean marksBinary = call.userAgent().filter(agent -> agent.startsWith(MARKS_BINARY)).isPresent();
        return marksBinary ? table.binaryColumns() : Set.of();
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

    private static PeerAnswer schema(TableSchema schema, Map<String, String> headers) {
        return PeerAnswer.ok(new Schema(true,
                new SchemaOf(schema.table().name(), schema.columns().stream().map(Column::of).toList())), headers);
    }

    private static PeerAnswer unserved(Found.Waiting waiting) {
        return PeerAnswer.refused(new PeerRefusal.Unavailable("Table is being copied for the first time, "
                + progress(waiting.rowsSoFar(), waiting.estimated()) + "; try again later", WHEN_COPIED));
    }

    private static PeerAnswer unserved(Found.Marked marked) {
        Long rows = marked.rowsSoFar();
        return rows == null
                ? MARKED
                : PeerAnswer.refused(new PeerRefusal.Unavailable("Table is being copied anew after a fault, "
                        + progress(rows, marked.estimated()) + "; try again later", WHEN_COPIED));
    }

    private static String progress(long rows, @Nullable Long estimated) {
        return estimated == null || estimated < rows
                ? String.format(Locale.ROOT, "%,d rows so far", rows)
                : String.format(Locale.ROOT, "%,d of about %,d rows so far", rows, estimated);
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
