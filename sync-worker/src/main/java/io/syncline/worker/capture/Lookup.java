package io.syncline.worker.capture;

import io.syncline.worker.capture.MissingValues.Found;
import io.syncline.worker.capture.MissingValues.TableChangedException;
import io.syncline.worker.capture.encode.TextRow;
import java.sql.SQLException;
import java.util.BitSet;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Missing values for a batch of changes: those of many rows are asked for in one question, when the first of them is needed. What
 * has been found is held up to a bound, however many rows wait.
 */
final class Lookup implements CapturedTable.Completion {

    /** Of values that were found and are held, beside the last answer's own. */
    private static final long MOST_BYTES = 32L << 20;

    private final MissingValues source;
    private final Map<SourceTable, Waiting> waiting = new IdentityHashMap<>();
    private final Map<SourceTable, Found> found = new IdentityHashMap<>();

    /** Rows of one table that wait for values, in the order in which they will be asked for. */
    private static final class Waiting {
        private final BitSet columns = new BitSet();
        private final LinkedHashMap<String, TextRow> keys = new LinkedHashMap<>();
        private final Set<Long> xids = new HashSet<>();

        /** Some, beginning with one; those before it have been passed. */
        SequencedMap<String, TextRow> take(String first) {
            SequencedMap<String, TextRow> some = new LinkedHashMap<>();
            for (Iterator<Map.Entry<String, TextRow>> next = keys.entrySet().iterator(); next.hasNext()
                    && some.size() < MissingValues.ROWS_AT_ONCE;) {
                Map.Entry<String, TextRow> entry = next.next();
                if (!some.isEmpty() || entry.getKey().equals(first)) {
                    some.put(entry.getKey(), entry.getValue());
                }
                next.remove();
            }
            return some;
        }

        /** What there was no room for is asked for again. */
        void putBack(SequencedMap<String, TextRow> some, Found answer) {
            some.reversed().forEach((key, row) -> {
                if (!answer.answers(key, new BitSet())) {
                    keys.putFirst(key, row);
                }
            });
        }
    }

    Lookup(MissingValues source) {
        this.source = source;
    }

    /** Announces a row that will be asked for. */
    void expect(SourceTable table, BitSet missing, byte[] key, TextRow keyRow, long xid) {
        Waiting rows = waiting.computeIfAbsent(table, _ -> new Waiting());
        rows.columns.or(missing);
        rows.keys.put(MissingValues.text(key), keyRow);
        rows.xids.add(xid);
    }

    @Override
    public boolean complete(SourceTable table, TextRow row, byte[] key, long xid)
            throws SQLException, InterruptedException, TableChangedException {
        String name = MissingValues.text(key);
        BitSet missing = new BitSet();
        MissingValues.addMissing(row, missing);
        Found answer = answer(table, name, missing);
        if (answer == null) {
            answer = source.read(table, missing, Map.of(name, row), Set.of(xid));
        }
        return answer.complete(row, key);
    }

    /** The answer that has the row, from now or from before; null if it has not been announced. */
    private @Nullable Found answer(SourceTable table, String key, BitSet missing)
            throws SQLException, InterruptedException, TableChangedException {
        Found before = found.get(table);
        if (before != null && before.answers(key, missing)) {
            return before;
        }
        Waiting rows = waiting.get(table);
        if (rows == null || !rows.keys.containsKey(key)) {
            return null;
        }
        found.remove(table);
        if (found.values().stream().mapToLong(Found::bytes).sum() > MOST_BYTES) {
            found.clear();
        }
        SequencedMap<String, TextRow> some = rows.take(key);
        Found now = source.read(table, rows.columns, some, rows.xids);
        rows.putBack(some, now);
        found.put(table, now);
        return now.answers(key, missing) ? now : null;
    }
}
