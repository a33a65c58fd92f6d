package io.syncline.gateway.http;

import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

/** JSON bodies, in and out: one object in UTF-8, bounded, nothing behind it. */
final class JsonBody {

    /** The largest body that a call may have. */
    static final int MAX_BYTES = 1_048_576;

    /** Calls are flat; what nests deeper, or has longer names and numbers, is meant for the parser and not for us. */
    static final int MAX_DEPTH = 16;
    private static final int MAX_NAME = 256;
    private static final int MAX_NUMBER = 128;

    /** No body takes longer to arrive, however slowly its bytes trickle in. */
    private static final Duration LONGEST = Duration.ofSeconds(20);

    private static final JsonMapper MAPPER = JsonMapper
            .builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNameLength(MAX_NAME)
                            .maxNumberLength(MAX_NUMBER)
                            .maxStringLength(MAX_BYTES)
                            .build())
                    .build())
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .build();

    /** What reading a body came to. */
    sealed interface Read {
        record Body(JsonNode object) implements Read {

            /** Without what is in it: credentials come in bodies. */
            @Override
            public String toString() {
                return "Body[]";
            }
        }

        record Bad(PeerRefusal.Known refusal) implements Read {}
    }

    private JsonBody() {}

    static JsonNode empty() {
        return JsonNodeFactory.instance.objectNode();
    }

    /**
     * Reads a body; an empty one counts as {@code {}}.
     *
     * @param typed whether the call named a content type that we take: only an empty body needs none
     */
    static Read read(InputStream in, long contentLength, boolean typed) {
        if (contentLength > MAX_BYTES) {
            return new Read.Bad(PeerRefusal.Known.BODY_TOO_LARGE);
        }
        byte[] bytes;
        try {
            bytes = bytes(in, Math.max(0, contentLength));
        } catch (IOException e) {
            // The caller went away, or sent less than announced: no surprise, and nothing for the log.
            return new Read.Bad(PeerRefusal.Known.BODY_INCOMPLETE);
        }
        if (bytes.length > MAX_BYTES) {
            return new Read.Bad(PeerRefusal.Known.BODY_TOO_LARGE);
        }
        if (bytes.length == 0) {
            return new Read.Body(empty());
        }
        if (!typed) {
            return new Read.Bad(PeerRefusal.Known.UNSUPPORTED_MEDIA_TYPE);
        }
        JsonNode node;
        try {
            // Decoded here: left to itself the parser would also take UTF-16 and UTF-32, by guessing.
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            try (JsonParser parser = MAPPER.createParser(text)) {
                node = MAPPER.readTree(parser);
                // Looked at here, since the mapper complains of what follows in the same way as of a field that comes twice.
                if (parser.nextToken() != null) {
                    return new Read.Bad(PeerRefusal.Known.MALFORMED_JSON);
                }
            }
        } catch (StreamConstraintsException e) {
            return new Read.Bad(PeerRefusal.Known.JSON_TOO_DEEP);
        } catch (DatabindException e) {
            return new Read.Bad(PeerRefusal.Known.FIELD_TWICE);
        } catch (CharacterCodingException | JacksonException e) {
            return new Read.Bad(PeerRefusal.Known.MALFORMED_JSON);
        }
        if (node == null || node.isMissingNode()) {
            return new Read.Bad(PeerRefusal.Known.MALFORMED_JSON);
        }
        return node.isObject() ? new Read.Body(node) : new Read.Bad(PeerRefusal.Known.NO_OBJECT);
    }

    /** Each read waits for a bounded time; all of them together must too. */
    private static byte[] bytes(InputStream in, long announced) throws IOException {
        long until = System.nanoTime() + LONGEST.toNanos();
        byte[] bytes = new byte[(int) Math.min(announced, MAX_BYTES) + 1];
        int length = 0;
        while (length <= MAX_BYTES) {
            if (length == bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.min(2 * bytes.length + 1_024, MAX_BYTES + 1));
            }
            int read = in.read(bytes, length, bytes.length - length);
            if (read < 0) {
                break;
            }
            length += read;
            if (System.nanoTime() - until > 0) {
                throw new SocketTimeoutException("the body took longer than " + LONGEST.toSeconds() + " s");
            }
        }
        return Arrays.copyOf(bytes, length);
    }

    static byte[] write(Object body) {
        return MAPPER.writeValueAsBytes(body);
    }

    /** Whether a content type is one of these (type and subtype in lower case), in UTF-8 if it says so at all. */
    static boolean isJson(String contentType, String... accepted) {
        try {
            MediaType type = MediaType.parseMediaType(contentType);
            String name = (type.getType() + "/" + type.getSubtype()).toLowerCase(Locale.ROOT);
            for (String one : accepted) {
                if (one.equals(name)) {
                    return type.getCharset() == null || StandardCharsets.UTF_8.equals(type.getCharset());
                }
            }
            return false;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** Whether an Accept header admits {@code application/json}; of several ranges the most specific one decides. */
    static boolean admitsJson(@Nullable String accept) {
        if (accept == null || accept.isBlank()) {
            return true;
        }
        Map<String, Integer> precision = Map.of("*", 0, "*/*", 0, "application/*", 1, "application/json", 2);
        int best = -1;
        boolean admitted = false;
        for (String range : accept.split(",", -1)) {
            String[] parts = range.split(";", -1);
            Integer rank = precision.get(parts[0].strip().toLowerCase(Locale.ROOT));
            if (rank != null && rank > best) {
                best = rank;
                admitted = wanted(parts);
            }
        }
        return admitted;
    }

    /** Whether an Accept header names {@code application/x-ndjson} itself: whoever takes anything means the usual answer. */
    static boolean asksForLines(@Nullable String accept) {
        if (accept == null) {
            return false;
        }
        for (String range : accept.split(",", -1)) {
            String[] parts = range.split(";", -1);
            if (parts[0].strip().equalsIgnoreCase("application/x-ndjson")) {
                return wanted(parts);
            }
        }
        return false;
    }

    private static boolean wanted(String[] parts) {
        for (int i = 1; i < parts.length; i++) {
            String parameter = parts[i].strip().toLowerCase(Locale.ROOT);
            if (parameter.startsWith("q=")) {
                try {
                    return Double.parseDouble(parameter.substring(2).strip()) > 0;
                } catch (NumberFormatException e) {
                    return false;
                }
            }
        }
        return true;
    }
}
