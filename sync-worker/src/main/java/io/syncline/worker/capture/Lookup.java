package io.syncline.worker.capture;

import io.syncline.worker.capture.MissingValues.Found;
import io.syncline.worker.capture.MissingValues.TableChangedException;
import io.syncline.worker.capture.encode.TextRow;
import java.sql.SQLException;
import java.util.BitSet;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Missing values that have been read ahead for a batch of changes; what has not is read when it is asked for. */
final class Lookup implements CapturedTable.Completion {

    private final MissingValues source;
    private final Map<SourceTable, Ahead> ahead = new IdentityHashMap<>();

    private record Ahead(Found found, BitSet columns, Set<String> asked) {}

    Lookup(MissingValues source) {
        this.source = source;
    }

    /** @param keys by the key's JSON: a row of which only the key is read */
    void readAhead(SourceTable table, BitSet columns, Map<String, TextRow> keys)
            throws SQLException, InterruptedException, TableChangedException {
        Found found = source.read(table, columns, List.copyOf(keys.values()));
        ahead.put(table, new Ahead(found, columns, new HashSet<>(keys.keySet())));
    }

    @Override
    public boolean complete(SourceTable table, TextRow row, byte[] key)
            throws SQLException, InterruptedException, TableChangedException {
        BitSet missing = new BitSet();
        MissingValues.addMissing(row, missing);
        Ahead read = ahead.get(table);
        if (read != null && read.asked().contains(MissingValues.text(key)) && covers(read.columns(), missing)) {
            return read.found().complete(row, key);
        }
        return source.read(table, missing, List.of(row)).complete(row, key);
    }

    private static boolean covers(BitSet columns, BitSet missing) {
        BitSet rest = (BitSet) missing.clone();
        rest.andNot(columns);
        return rest.isEmpty();
    }
}
