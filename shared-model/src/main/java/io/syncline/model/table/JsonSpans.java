package io.syncline.model.table;

/** Where JSON values begin and end, and nothing else of them: for bytes that are known to be JSON, without reading it. */
public final class JsonSpans {

    private JsonSpans() {}

    /** Behind the value that begins at {@code from}. */
    public static int endOfValue(byte[] json, int from, int to) {
        if (from >= to) {
            throw malformed();
        }
        if (json[from] == '"') {
            return endOfString(json, from, to);
        }
        int depth = 0;
        int at = from;
        while (at < to) {
            switch (json[at]) {
                case '"' -> {
                    at = endOfString(json, at, to);
                    continue;
                }
                case '{', '[' -> depth++;
                case '}', ']' -> {
                    if (depth == 0) {
                        return at;
                    }
                    depth--;
                    if (depth == 0) {
                        return at + 1;
                    }
                }
                case ',' -> {
                    if (depth == 0) {
                        return at;
                    }
                }
                default -> {
                    // Part of a number, of a word, or space.
                }
            }
            at++;
        }
        throw malformed();
    }

    /** Behind the closing quote of the string that opens at {@code from}. */
    public static int endOfString(byte[] json, int from, int to) {
        if (from >= to || json[from] != '"') {
            throw malformed();
        }
        for (int at = from + 1; at < to; at++) {
            if (json[at] == '\\') {
                at++;
            } else if (json[at] == '"') {
                return at + 1;
            }
        }
        throw malformed();
    }

    public static int skipSpace(byte[] json, int from, int to) {
        int at = from;
        while (at < to && (json[at] == ' ' || json[at] == '\n' || json[at] == '\t' || json[at] == '\r')) {
            at++;
        }
        return at;
    }

    public static IllegalArgumentException malformed() {
        return new IllegalArgumentException("a row is no JSON object");
    }
}
