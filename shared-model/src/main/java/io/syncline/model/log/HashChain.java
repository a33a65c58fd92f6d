package io.syncline.model.log;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The canonical form of a record of the event log, and its hash. Written down in {@code deploy/docs/log-format.md}. */
public final class HashChain {

    /** What the first event of a partition names as the hash before it: 32 zero bytes. */
    static final byte[] GENESIS = new byte[32];

    private static final byte[] FORM = "syncline-log-v1".getBytes(StandardCharsets.UTF_8);
    /** Headers that are made of the hash, and so are no part of it. */
    private static final Set<String> UNHASHED = Set.of(LogHeaders.HASH, LogHeaders.MAC, LogHeaders.SIGNATURE);

    private HashChain() {}

    public static byte[] genesis() {
        return GENESIS.clone();
    }

    /** SHA-256 (FIPS 180-4) of the canonical form of a record's key, value, timestamp and {@code ce_} headers. */
    public static byte[] hash(LogRecord record) {
        return sha256(canonical(record));
    }

    /**
     * The form's name, then key, value, timestamp (8 bytes) and each hashed header's name and value in the order of the
     * names' bytes; each of them with its length in 4 bytes before it, -1 for null; all numbers big-endian.
     */
    public static byte[] canonical(LogRecord record) {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
            DataOutputStream out = new DataOutputStream(bytes);
            put(out, FORM);
            put(out, record.key());
            put(out, record.value());
            out.writeLong(record.timestamp());
            for (Map.Entry<String, byte[]> header : record.headers().entrySet()) {
                if (header.getKey().startsWith("ce_") && !UNHASHED.contains(header.getKey())) {
                    put(out, header.getKey().getBytes(StandardCharsets.UTF_8));
                    put(out, header.getValue());
                }
            }
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException("a byte array takes every write", e);
        }
    }

    static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static void put(DataOutputStream out, byte @Nullable [] bytes) throws IOException {
        if (bytes == null) {
            out.writeInt(-1);
        } else {
            out.writeInt(bytes.length);
            out.write(bytes);
        }
    }
}
