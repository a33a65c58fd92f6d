package io.syncline.worker.capture.encode;

import java.nio.charset.StandardCharsets;

/** Writes one value: PostgreSQL's text in, JSON out. */
@FunctionalInterface
interface ValueWriter {

    void write(byte[] text, int start, int end, JsonBytes out);

    /** The longest text that an error shows: enough to recognise it by, too little to publish it. */
    int SHOWN = 40;

    static ValueWriter of(ValueType type) {
        return switch (type) {
            case ValueType.Whole _ -> ValueWriter::writeWhole;
            case ValueType.Floating _ -> ValueWriter::writeFloating;
            case ValueType.Bool _ -> ValueWriter::writeBool;
            case ValueType.Json _ -> ValueWriter::writeJson;
            case ValueType.Hstore _ -> new HstoreWriter();
            case ValueType.Time time ->
                    (text, start, end, out) -> writeTime(time.fractionDigits(), text, start, end, out);
            case ValueType.Timestamp timestamp ->
                    (text, start, end, out) -> writeTimestamp(timestamp, text, start, end, out);
            case ValueType.Array array -> new ArrayWriter(of(array.element()), array.delimiter());
            case ValueType.Inet _ -> ValueWriter::writeInet;
            case ValueType.Text _ -> (text, start, end, out) -> out.writeString(text, start, end);
        };
    }

    /**
     * Writes a value of a key. Arrays that differ in their bounds alone are two keys, and their JSON is one: what does not begin at 1 goes
     * as PostgreSQL's text, in a string, which no other array does.
     */
    static ValueWriter ofKey(ValueType type) {
        ValueWriter writer = of(type);
        return type instanceof ValueType.Array
                ? (text, start, end, out) -> {
                    if (start < end && text[start] == '[') {
                        out.writeString(text, start, end);
                    } else {
                        writer.write(text, start, end, out);
                    }
                }
                : writer;
    }

    static UnencodableValueException notA(String type, byte[] text, int start, int end) {
        int shown = Math.min(end, start + SHOWN);
        return new UnencodableValueException("'" + new String(text, start, shown - start, StandardCharsets.UTF_8)
                + (shown < end ? "…" : "") + "' is no " + type);
    }

    private static void writeWhole(byte[] text, int start, int end, JsonBytes out) {
        int digits = start < end && text[start] == '-' ? start + 1 : start;
        boolean whole = digits < end;
        for (int i = digits; i < end; i++) {
            whole &= isDigit(text[i]);
        }
        if (!whole) {
            throw notA("integer", text, start, end);
        }
        out.write(text, start, end);
    }

    private static void writeFloating(byte[] text, int start, int end, JsonBytes out) {
        int first = start < end && text[start] == '-' ? start + 1 : start;
        if (first < end && isDigit(text[first])) {
            out.write(text, start, end);
        } else {
            // NaN, Infinity, -Infinity
            out.writeString(text, start, end);
        }
    }

    private static void writeBool(byte[] text, int start, int end, JsonBytes out) {
        if (end - start != 1 || text[start] != 't' && text[start] != 'f') {
            throw notA("boolean", text, start, end);
        }
        out.write(text[start] == 't' ? Literals.TRUE : Literals.FALSE);
    }

    private static void writeJson(byte[] text, int start, int end, JsonBytes out) {
        // json keeps its line breaks, which are white space and nothing else; in one row a line they would end the line.
        int clean = start;
        for (int i = start; i < end; i++) {
            if (text[i] == '\n' || text[i] == '\r') {
                out.write(text, clean, i);
                out.write(' ');
                clean = i + 1;
            }
        }
        out.write(text, clean, end);
    }

    private static void writeInet(byte[] text, int start, int end, JsonBytes out) {
        boolean masked = false;
        boolean six = false;
        for (int i = start; i < end; i++) {
            masked |= text[i] == '/';
            six |= text[i] == ':';
        }
        out.write('"');
        out.writeEscaped(text, start, end);
        if (!masked) {
            out.write(six ? Literals.SIX : Literals.FOUR);
        }
        out.write('"');
    }

    private static void writeTime(int fractionDigits, byte[] text, int start, int end, JsonBytes out) {
        if (end - start < 8) {
            throw notA("time", text, start, end);
        }
        if (text[start] == '2' && text[start + 1] == '4') {
            out.writeString(text, start, end);
            return;
        }
        out.write('"');
        int after = writeClock(fractionDigits, text, start, end, out);
        if (after != end) {
            throw notA("time", text, start, end);
        }
        out.write('"');
    }

    private static void writeTimestamp(ValueType.Timestamp type, byte[] text, int start, int end, JsonBytes out) {
        if (start < end && !isDigit(text[start]) || endsWithBc(text, start, end)) {
            // infinity, -infinity, and years before 1
            out.writeString(text, start, end);
            return;
        }
        int space = start;
        while (space < end && text[space] != ' ') {
            space++;
        }
        if (end - space < 9) {
            throw notA("timestamp", text, start, end);
        }
        out.write('"');
        out.write(text, start, space);
        out.write('T');
        int after = writeClock(type.fractionDigits(), text, space + 1, end, out);
        if (type.inUtc()) {
            if (end - after != 3 || text[after] != '+' || text[after + 1] != '0' || text[after + 2] != '0') {
                throw notA("timestamp in UTC", text, start, end);
            }
            out.write('Z');
        } else if (after != end) {
            throw notA("timestamp", text, start, end);
        }
        out.write('"');
    }

    /** Writes hh:mm:ss with as many fraction digits as the column has; returns where in the text it ended. */
    private static int writeClock(int fractionDigits, byte[] text, int start, int end, JsonBytes out) {
        int position = start + 8;
        out.write(text, start, position);
        int digits = 0;
        if (position < end && text[position] == '.') {
            int fraction = position++;
            while (position < end && isDigit(text[position])) {
                position++;
                digits++;
            }
            out.write(text, fraction, position);
        } else if (fractionDigits > 0) {
            out.write('.');
        }
        for (; digits < fractionDigits; digits++) {
            out.write('0');
        }
        return position;
    }

    private static boolean endsWithBc(byte[] text, int start, int end) {
        return end - start > 3 && text[end - 1] == 'C' && text[end - 2] == 'B' && text[end - 3] == ' ';
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    /** What is written as it stands. */
    final class Literals {
        static final byte[] NULL = "null".getBytes(StandardCharsets.US_ASCII);
        static final byte[] TRUE = "true".getBytes(StandardCharsets.US_ASCII);
        static final byte[] FALSE = "false".getBytes(StandardCharsets.US_ASCII);
        static final byte[] FOUR = "/32".getBytes(StandardCharsets.US_ASCII);
        static final byte[] SIX = "/128".getBytes(StandardCharsets.US_ASCII);

        private Literals() {}
    }

    /** <code>{1,NULL,"a \"b\""}</code>, nested as deep as it comes; lower bounds other than 1 ({@code [0:1]={…}}) are not told. */
    record ArrayWriter(ValueWriter element, char delimiter) implements ValueWriter {

        @Override
        public void write(byte[] text, int start, int end, JsonBytes out) {
            int i = start;
            if (i < end && text[i] == '[') {
                while (i < end && text[i] != '=') {
                    i++;
                }
                i++;
            }
            int depth = 0;
            while (i < end) {
                byte b = text[i];
                if (b == '{') {
                    depth++;
                    out.write('[');
                    i++;
                } else if (b == '}') {
                    depth--;
                    out.write(']');
                    i++;
                } else if (b == delimiter) {
                    out.write(',');
                    i++;
                } else if (depth == 0) {
                    throw notA("array", text, start, end);
                } else if (b == '"') {
                    i = writeQuoted(text, i + 1, end, out);
                } else {
                    i = writePlain(text, i, end, out);
                }
            }
            if (depth != 0 || start == end) {
                throw notA("array", text, start, end);
            }
        }

        private int writeQuoted(byte[] text, int start, int end, JsonBytes out) {
            byte[] plain = out.scratch(end - start);
            int length = 0;
            int i = start;
            while (i < end && text[i] != '"') {
                if (text[i] == '\\') {
                    i++;
                }
                plain[length++] = text[i++];
            }
            element.write(plain, 0, length, out);
            return i + 1;
        }

        private int writePlain(byte[] text, int start, int end, JsonBytes out) {
            int i = start;
            while (i < end && text[i] != delimiter && text[i] != '}') {
                i++;
            }
            if (i - start == 4 && text[start] == 'N' && text[start + 1] == 'U' && text[start + 2] == 'L'
                    && text[start + 3] == 'L') {
                // An element that spells NULL comes in quotes.
                out.write(Literals.NULL);
            } else {
                element.write(text, start, i, out);
            }
            return i;
        }
    }

    /** {@code "a"=>"1", "b"=>NULL} */
    record HstoreWriter() implements ValueWriter {

        @Override
        public void write(byte[] text, int start, int end, JsonBytes out) {
            out.write('{');
            int i = start;
            while (i < end) {
                i = writeQuoted(text, i, end, out);
                if (i + 2 >= end || text[i] != '=' || text[i + 1] != '>') {
                    throw notA("hstore", text, start, end);
                }
                out.write(':');
                i += 2;
                if (text[i] == '"') {
                    i = writeQuoted(text, i, end, out);
                } else {
                    out.write(Literals.NULL);
                    i += 4;
                }
                if (i < end) {
                    out.write(',');
                    i += 2;
                }
            }
            out.write('}');
        }

        private static int writeQuoted(byte[] text, int start, int end, JsonBytes out) {
            if (text[start] != '"') {
                throw notA("hstore", text, start, end);
            }
            out.write('"');
            int i = start + 1;
            while (i < end && text[i] != '"') {
                if (text[i] == '\\') {
                    i++;
                }
                out.writeEscaped(text[i++]);
            }
            out.write('"');
            return i + 1;
        }
    }
}
