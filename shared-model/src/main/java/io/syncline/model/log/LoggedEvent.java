package io.syncline.model.log;

import io.syncline.model.connection.Event;
import io.syncline.model.credential.CredentialKeys;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * An event in its place of the log: numbered, chained to the one before it, and sealed with a MAC.
 *
 * @param fence     the epoch of the worker that wrote it: the offset of that worker's fence record
 * @param sequence  1 for a partition's first event, then one more each time
 * @param requestOffset offset, in the same partition of the requests topic, of the request that this event is the outcome
 *                  of: a database that lost its end learns from the log which requests were decided
 * @param time      the database's, to the millisecond; never earlier than the event before
 * @param record    what lies in Kafka, {@link #hash} and MAC included
 */
public record LoggedEvent(
        int partition,
        long fence,
        long sequence,
        UUID id,
        UUID requestId,
        long requestOffset,
        Instant time,
        String key,
        String type,
        byte[] payload,
        byte[] previousHash,
        byte[] hash,
        LogRecord record) {

    /** Chains an event onto the head of its partition. */
    public static LoggedEvent chain(int partition, long fence, long sequence, byte[] previousHash, UUID id,
            UUID requestId, long requestOffset, Instant time, Event event, CredentialKeys keys) {
        return chain(partition, fence, sequence, previousHash, id, requestId, requestOffset, time, event.key(),
                EventCodec.typeOf(event),
                EventCodec.payloadOf(event), keys);
    }

    /** Chains a stored event anew: after a takeover, what the log lacks goes out under the new owner's fence. */
    public static LoggedEvent chain(int partition, long fence, long sequence, byte[] previousHash, UUID id,
            UUID requestId, long requestOffset, Instant time, String key, String type, byte[] payload,
            CredentialKeys keys) {
        return sealed(partition, fence, sequence, previousHash, id, requestId, requestOffset, time, key, type, payload,
                keys.macKeyId(), keys);
    }

    /**
     * Makes an event again byte for byte of what is stored of it; empty where no key of ours gives the hash that it had.
     *
     * @param hash that it had
     */
    public static Optional<LoggedEvent> again(int partition, long fence, long sequence, byte[] previousHash, UUID id,
            UUID requestId, long requestOffset, Instant time, String key, String type, byte[] payload, byte[] hash,
            CredentialKeys keys) {
        return keys.macKeyIds()
                .stream()
                .map(macKey -> sealed(partition, fence, sequence, previousHash, id, requestId, requestOffset, time, key,
                        type, payload, macKey, keys))
                .filter(event -> Arrays.equals(event.hash, hash))
                .findFirst();
    }

    private static LoggedEvent sealed(int partition, long fence, long sequence, byte[] previousHash, UUID id,
            UUID requestId, long requestOffset, Instant time, String key, String type, byte[] payload, String macKey,
            CredentialKeys keys) {
        Instant at = time.truncatedTo(ChronoUnit.MILLIS);
        SortedMap<String, byte[]> headers = new TreeMap<>();
        put(headers, LogHeaders.SPEC_VERSION, "1.0");
        put(headers, LogHeaders.ID, id.toString());
        put(headers, LogHeaders.SOURCE, source(partition));
        put(headers, LogHeaders.TYPE, type);
        put(headers, LogHeaders.TIME, at.toString());
        put(headers, LogHeaders.CONTENT_TYPE, "application/json");
        put(headers, LogHeaders.REQUEST_ID, requestId.toString());
        put(headers, LogHeaders.REQUEST_OFFSET, Long.toString(requestOffset));
        put(headers, LogHeaders.FENCE, Long.toString(fence));
        put(headers, LogHeaders.SEQUENCE, Long.toString(sequence));
        put(headers, LogHeaders.PREVIOUS_HASH, HexFormat.of().formatHex(previousHash));
        put(headers, LogHeaders.MAC_KEY, macKey);
        LogRecord bare = new LogRecord(key.getBytes(StandardCharsets.UTF_8), payload, at.toEpochMilli(), headers);
        byte[] hash = HashChain.hash(bare);
        put(headers, LogHeaders.HASH, HexFormat.of().formatHex(hash));
        put(headers, LogHeaders.MAC, HexFormat.of().formatHex(keys.mac(macKey, hash)));
        LogRecord sealed = new LogRecord(bare.key(), payload, bare.timestamp(), headers);
        return new LoggedEvent(partition, fence, sequence, id, requestId, requestOffset, at, key, type, payload,
                previousHash, hash,
                sealed);
    }

    /**
     * Reads an event of this partition back, its hash and MAC checked; {@link MalformedRecordException} says what is not
     * as we write it.
     */
    public static LoggedEvent read(int partition, LogRecord record, CredentialKeys keys) {
        HeaderReader headers = new HeaderReader(record);
        return read(partition, record, headers, headers.verified(keys, source(partition)));
    }

    /** Reads what has the form of an event and its own hash, but names a key that we do not hold: it proves nothing. */
    static LoggedEvent unproven(int partition, LogRecord record) {
        HeaderReader headers = new HeaderReader(record);
        return read(partition, record, headers, headers.hashed(source(partition)));
    }

    private static LoggedEvent read(int partition, LogRecord record, HeaderReader headers, byte[] hash) {
        byte[] key = record.key();
        byte[] payload = record.value();
        if (key == null || payload == null) {
            throw new MalformedRecordException("an event has a key and a value");
        }
        Instant time = Instant.ofEpochMilli(record.timestamp());
        if (!time.toString().equals(headers.text(LogHeaders.TIME))) {
            throw new MalformedRecordException("ce_time is not the record's timestamp");
        }
        return new LoggedEvent(partition, headers.number(LogHeaders.FENCE), headers.number(LogHeaders.SEQUENCE),
                headers.uuid(LogHeaders.ID), headers.uuid(LogHeaders.REQUEST_ID),
                headers.number(LogHeaders.REQUEST_OFFSET), time,
                new String(key, StandardCharsets.UTF_8),
                headers.text(LogHeaders.TYPE), payload, headers.hex(LogHeaders.PREVIOUS_HASH), hash, record);
    }

    public Event event() {
        return EventCodec.read(type, payload);
    }

    /** The CloudEvents source of a partition's records: a record copied into another partition is found by it. */
    static String source(int partition) {
        return "/syncline/connection/events/" + partition;
    }

    static void put(SortedMap<String, byte[]> headers, String name, String value) {
        headers.put(name, value.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LoggedEvent logged && Arrays.equals(hash, logged.hash);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(hash);
    }

    @Override
    public String toString() {
        return type + " " + partition + "/" + sequence + " (fence " + fence + ")";
    }
}
