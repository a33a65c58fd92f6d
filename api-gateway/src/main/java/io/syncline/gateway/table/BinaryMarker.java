package io.syncline.gateway.table;

import io.syncline.model.table.JsonSpans;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Rewrites a row's JSON for {@code PhoenixKit-Sync}: uuid and bytea values, as texts in the replica, and the elements of
 * arrays of them, become objects with
 * their bytes in base64. It only looks for where values begin and end; what it does not rewrite it copies.
 */
final class BinaryMarker {

    static final String NAME = "__phoenix_kit_binary__";

    private static final byte[] OPEN = ("{\"" + NAME + "\":\"").getBytes(StandardCharsets.US_ASCII);
    private static final byte[] CLOSE = "\"}".getBytes(StandardCharsets.US_ASCII);
    private static final JsonFactory JSON = JsonFactory.builder().build();

    private final Set<String> columns;

    BinaryMarker(Set<String> columns) {
        this.columns = new HashSet<>(columns);
    }

    /** Where a sink takes the rewritten row. */
    interface Sink {
        void write(byte[] bytes, int from, int to) throws java.io.IOException;
    }

    /** Writes the row that lies in {@code json} from {@code from} to {@code to}. */
    void rewrite(byte[] json, int from, int to, Sink sink) throws java.io.IOException {
        int copied = from;
        int at = JsonSpans.skipSpace(json, from, to);
        if (at >= to || json[at] != '{') {
            throw malformed();
        }
        at = JsonSpans.skipSpace(json, at + 1, to);
        while (at < to && json[at] != '}') {
            int nameEnd = JsonSpans.endOfString(json, at, to);
            String name = name(json, at + 1, nameEnd - 1);
            at = JsonSpans.skipSpace(json, nameEnd, to);
            if (at >= to || json[at] != ':') {
                throw malformed();
            }
            at = JsonSpans.skipSpace(json, at + 1, to);
            int end = JsonSpans.endOfValue(json, at, to);
            if ((json[at] == '"' || json[at] == '[') && columns.contains(name)) {
                copied = mark(json, copied, at, end, sink);
            }
            at = JsonSpans.skipSpace(json, end, to);
            if (at < to && json[at] == ',') {
                at = JsonSpans.skipSpace(json, at + 1, to);
            }
        }
        sink.write(json, copied, to);
    }

    /** Marks a text, or each text of an array, from {@code at} to {@code end}; gives up to where the sink has all. */
    private static int mark(byte[] json, int copiedBefore, int at, int end, Sink sink) throws java.io.IOException {
        int copied = copiedBefore;
        int from = at;
        while (from < end) {
            if (json[from] != '"') {
                from++;
                continue;
            }
            int to = JsonSpans.endOfString(json, from, end);
            byte[] value = bytes(json, from + 1, to - 1);
            if (value != null) {
                sink.write(json, copied, from);
                sink.write(OPEN, 0, OPEN.length);
                byte[] base64 = Base64.getEncoder().encode(value);
                sink.write(base64, 0, base64.length);
                sink.write(CLOSE, 0, CLOSE.length);
                copied = to;
            }
            from = to;
        }
        return copied;
    }

    /** The bytes that a text between quotes stands for: {@code \x…}, or a uuid's digits; null if it is neither. */
    private static byte @Nullable [] bytes(byte[] json, int from, int to) {
        // In JSON the backslash of \x is written twice.
        boolean bytea = to - from >= 3 && json[from] == '\\' && json[from + 1] == '\\' && json[from + 2] == 'x';
        ByteArrayOutputStream bytes = new ByteArrayOutputStream((to - from) / 2);
        int high = -1;
        for (int i = bytea ? from + 3 : from; i < to; i++) {
            if (!bytea && json[i] == '-') {
                continue;
            }
            int digit = Character.digit(json[i], 16);
            if (digit < 0) {
                return null;
            }
            if (high < 0) {
                high = digit;
            } else {
                bytes.write(high << 4 | digit);
                high = -1;
            }
        }
        return high < 0 && (bytea || bytes.size() == 16) ? bytes.toByteArray() : null;
    }

    private static String name(byte[] json, int from, int to) {
        for (int i = from; i < to; i++) {
            if (json[i] == '\\') {
                return unescaped(json, from - 1, to + 1);
            }
        }
        return new String(json, from, to - from, StandardCharsets.UTF_8);
    }

    private static String unescaped(byte[] json, int from, int to) {
        try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), json, from, to - from)) {
            parser.nextToken();
            return parser.getString();
        }
    }

    private static IllegalStateException malformed() {
        return new IllegalStateException("a row of the replica is no JSON object");
    }
}
