package io.syncline.model.log;

import io.syncline.model.credential.CredentialKeys;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A record by which a worker takes a partition over: its offset is the new epoch, and every event of an older epoch
 * behind it is void. Signed, so that it also stands as proof of the head that its writer had read.
 *
 * @param worker       the name of the worker that takes over
 * @param headSequence sequence of the last event that counted for the writer, 0 for none
 * @param headHash     that event's hash in hexadecimal
 * @param acknowledges null where a worker takes over; else an operator's word about what is missing before it
 */
public record Fence(
        UUID id,
        Instant time,
        String worker,
        long headSequence,
        String headHash,
        @Nullable Acknowledgement acknowledges) {

    static final String TYPE = "syncline.log.fence.v1";
    static final String ACKNOWLEDGEMENT_TYPE = "syncline.log.hole-acknowledged.v1";
    static final String KEY = "fence";

    private record Payload(String worker, long headSequence, String headHash) {}

    private record AcknowledgementPayload(
            String worker,
            long headSequence,
            String headHash,
            String by,
            String reason,
            List<Hole> holes,
            List<Long> restored,
            long restoredFrom) {}

    /** A worker's, that takes a partition over. */
    public Fence(UUID id, Instant time, String worker, long headSequence, String headHash) {
        this(id, time, worker, headSequence, headHash, null);
    }

    public LogRecord toRecord(int partition, CredentialKeys keys) {
        Instant at = time.truncatedTo(ChronoUnit.MILLIS);
        SortedMap<String, byte[]> headers = new TreeMap<>();
        LoggedEvent.put(headers, LogHeaders.SPEC_VERSION, "1.0");
        LoggedEvent.put(headers, LogHeaders.ID, id.toString());
        LoggedEvent.put(headers, LogHeaders.SOURCE, LoggedEvent.source(partition));
        LoggedEvent.put(headers, LogHeaders.TYPE, acknowledges == null ? TYPE : ACKNOWLEDGEMENT_TYPE);
        LoggedEvent.put(headers, LogHeaders.TIME, at.toString());
        LoggedEvent.put(headers, LogHeaders.CONTENT_TYPE, "application/json");
        // Asked for once: between two questions the next keys may have become the current ones.
        String macKey = keys.macKeyId();
        String signingKey = keys.signingKeyId();
        LoggedEvent.put(headers, LogHeaders.MAC_KEY, macKey);
        LoggedEvent.put(headers, LogHeaders.SIGNING_KEY, signingKey);
        byte[] key = KEY.getBytes(StandardCharsets.UTF_8);
        byte[] value = Json.write(acknowledges == null ? new Payload(worker, headSequence, headHash)
                : new AcknowledgementPayload(worker, headSequence, headHash, acknowledges.by(), acknowledges.reason(),
                        acknowledges.holes(), acknowledges.restored(), acknowledges.restoredFrom()));
        byte[] hash = HashChain.hash(new LogRecord(key, value, at.toEpochMilli(), headers));
        LoggedEvent.put(headers, LogHeaders.HASH, HexFormat.of().formatHex(hash));
        LoggedEvent.put(headers, LogHeaders.MAC, HexFormat.of().formatHex(keys.mac(macKey, hash)));
        LoggedEvent.put(headers, LogHeaders.SIGNATURE, HexFormat.of().formatHex(keys.sign(signingKey, hash)));
        return new LogRecord(key, value, at.toEpochMilli(), headers);
    }

    /** Whether a record says that it is a fence; {@link #read} then proves it. */
    public static boolean isFence(LogRecord record) {
        byte[] type = record.headers().get(LogHeaders.TYPE);
        String name = type == null ? "" : new String(type, StandardCharsets.UTF_8);
        return name.equals(TYPE) || name.equals(ACKNOWLEDGEMENT_TYPE);
    }

    public static Fence read(int partition, LogRecord record, CredentialKeys keys) {
        HeaderReader headers = new HeaderReader(record);
        byte[] hash = headers.verified(keys, LoggedEvent.source(partition));
        if (!keys.knowsVerifying(headers.text(LogHeaders.SIGNING_KEY))) {
            throw MalformedRecordException.ofUnknownKey();
        }
        if (!keys.verifySignature(headers.text(LogHeaders.SIGNING_KEY), hash, headers.hex(LogHeaders.SIGNATURE))) {
            throw new MalformedRecordException("the signature was not made with a key of this cluster");
        }
        byte[] value = record.value();
        if (value == null) {
            throw new MalformedRecordException("a fence has a value");
        }
        UUID id = headers.uuid(LogHeaders.ID);
        Instant time = Instant.ofEpochMilli(record.timestamp());
        if (headers.text(LogHeaders.TYPE).equals(ACKNOWLEDGEMENT_TYPE)) {
            AcknowledgementPayload said = Json.read(value, AcknowledgementPayload.class);
            return new Fence(id, time, said.worker(), said.headSequence(), said.headHash(),
                    new Acknowledgement(said.by(), said.reason(), said.holes(), said.restored(), said.restoredFrom()));
        }
        Payload payload = Json.read(value, Payload.class);
        return new Fence(id, time, payload.worker(), payload.headSequence(), payload.headHash());
    }
}
