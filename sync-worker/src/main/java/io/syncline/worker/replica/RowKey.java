package io.syncline.worker.replica;

import io.syncline.model.table.JsonSpans;
import java.nio.charset.StandardCharsets;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.io.JsonStringEncoder;
import tools.jackson.core.json.JsonFactory;

/** Reads a row's key: the JSON array of its wire values, each as the text that PostgreSQL's cast takes. */
final class RowKey {

    /** Without bounds of its own: a key is bounded by what an index takes. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(Integer.MAX_VALUE)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNameLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private static final List<KeyKind> ONE_INTEGER = List.of(KeyKind.INTEGER);

    private RowKey() {}

    /** The values' texts; {@link TableFault} if they are not one for each of {@code kinds}. */
    static String[] parse(byte[] key, List<KeyKind> kinds) throws TableFault {
        int count = kinds.size();
        try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), key)) {
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                throw unfit(count);
            }
            String[] values = new String[count];
            for (int i = 0; i < count; i++) {
                JsonToken token = parser.nextToken();
                values[i] = kinds.get(i) == KeyKind.JSON ? json(token, parser, key, count) : switch (token) {
                    case VALUE_STRING, VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT, VALUE_TRUE, VALUE_FALSE ->
                            parser.getString();
                    case START_ARRAY -> kinds.get(i) == KeyKind.ARRAY ? array(parser, key) : raw(parser, key);
                    case START_OBJECT -> raw(parser, key);
                    case VALUE_NULL, END_ARRAY, END_OBJECT, PROPERTY_NAME, VALUE_EMBEDDED_OBJECT, NOT_AVAILABLE ->
                            throw unfit(count);
                };
            }
            if (parser.nextToken() != JsonToken.END_ARRAY || parser.nextToken() != null) {
                throw unfit(count);
            }
            return values;
        } catch (JacksonException e) {
            throw unfit(count);
        }
    }

    /** The key as a JSON object: {@code names} are its columns' names in quotes. */
    static String object(byte[] key, List<String> names) throws TableFault {
        StringBuilder object = new StringBuilder();
        try {
            int to = key.length;
            int at = JsonSpans.skipSpace(key, 0, to);
            for (int i = 0; i < names.size(); i++) {
                if (at >= to || key[at] != (i == 0 ? '[' : ',')) {
                    throw unfit(names.size());
                }
                int from = JsonSpans.skipSpace(key, at + 1, to);
                at = JsonSpans.endOfValue(key, from, to);
                object.append(i == 0 ? '{' : ',')
                        .append(names.get(i))
                        .append(':')
                        .append(new String(key, from, at - from, StandardCharsets.UTF_8).stripTrailing());
                at = JsonSpans.skipSpace(key, at, to);
            }
            return object.append('}').toString();
        } catch (IllegalArgumentException e) {
            throw unfit(names.size());
        }
    }

    /** A name, or any text, as JSON has it. */
    static String jsonName(String name) {
        StringBuilder quoted = new StringBuilder("\"");
        JsonStringEncoder.getInstance().quoteAsString(name, quoted);
        return quoted.append('"').toString();
    }

    /** A key of one integer, the commonest by far, without a parser. */
    static long parseInteger(byte[] key) throws TableFault {
        int last = key.length - 1;
        int i = 1;
        boolean negative = last > 1 && key[1] == '-';
        if (negative) {
            i++;
        }
        // 18 digits cannot overflow.
        if (last - i < 1 || last - i > 18 || key[0] != '[' || key[last] != ']') {
            return integer(parse(key, ONE_INTEGER)[0]);
        }
        long value = 0;
        for (; i < last; i++) {
            int digit = key[i] - '0';
            if (digit < 0 || digit > 9) {
                return integer(parse(key, ONE_INTEGER)[0]);
            }
            value = value * 10 + digit;
        }
        return negative ? -value : value;
    }

    static long integer(String text) throws TableFault {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new TableFault("a key that should be an integer is none", true);
        }
    }

    /** PostgreSQL's text of the array that the parser has opened; behind its end, as {@link #raw}. */
    private static String array(JsonParser parser, byte[] key) {
        StringBuilder text = new StringBuilder("{");
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            text.append(text.length() == 1 ? "" : ",");
            switch (token) {
                case START_ARRAY -> text.append(array(parser, key));
                case VALUE_NULL -> text.append("NULL");
                case START_OBJECT -> quoted(text, raw(parser, key));
                default -> quoted(text, parser.getString());
            }
        }
        return text.append('}').toString();
    }

    /** The JSON of the value that the parser has come to, as it stands. */
    private static String json(JsonToken token, JsonParser parser, byte[] key, int count) throws TableFault {
        return switch (token) {
            case START_ARRAY, START_OBJECT -> raw(parser, key);
            case VALUE_STRING -> jsonName(parser.getString());
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT, VALUE_TRUE, VALUE_FALSE, VALUE_NULL -> parser.getString();
            case END_ARRAY, END_OBJECT, PROPERTY_NAME, VALUE_EMBEDDED_OBJECT, NOT_AVAILABLE -> throw unfit(count);
        };
    }

    private static void quoted(StringBuilder text, String element) {
        text.append('"').append(element.replace("\\", "\\\\").replace("\"", "\\\"")).append('"');
    }

    private static String raw(JsonParser parser, byte[] key) {
        int start = (int) parser.currentTokenLocation().getByteOffset();
        parser.skipChildren();
        int end = (int) parser.currentLocation().getByteOffset();
        return new String(key, start, end - start, StandardCharsets.UTF_8);
    }

    private static TableFault unfit(int count) {
        return new TableFault("a record's key is not a JSON array of " + count + " values", true);
    }
}
