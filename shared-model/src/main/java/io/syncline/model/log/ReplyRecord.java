package io.syncline.model.log;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Refusal;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A reply on its way to the gateways; its key in Kafka is the request id's text.
 *
 * @param partition of the request and of its event
 * @param sequence  of the last event of that partition when the reply was made: no gateway answers from a database that
 *                  is behind it
 */
public record ReplyRecord(UUID requestId, int partition, long sequence, Outcome outcome) {

    private record Wire(UUID requestId, int partition, long sequence, StoredOutcome outcome) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record StoredOutcome(
            Outcome.@Nullable Accepted accepted,
            Outcome.@Nullable Granted granted,
            Outcome.@Nullable AwaitingApproval awaiting,
            @Nullable Refusal refused) {

        static StoredOutcome of(Outcome outcome) {
            return switch (outcome) {
                case Outcome.Accepted accepted -> new StoredOutcome(accepted, null, null, null);
                case Outcome.Granted granted -> new StoredOutcome(null, granted, null, null);
                case Outcome.AwaitingApproval awaiting -> new StoredOutcome(null, null, awaiting, null);
                case Outcome.Refused refused -> new StoredOutcome(null, null, null, refused.refusal());
            };
        }

        Outcome outcome() {
            if (accepted != null) {
                return accepted;
            }
            if (granted != null) {
                return granted;
            }
            if (awaiting != null) {
                return awaiting;
            }
            if (refused != null) {
                return new Outcome.Refused(refused);
            }
            throw new MalformedRecordException("an outcome is accepted, granted, awaiting or refused");
        }
    }

    public byte[] toJson() {
        return Json.write(new Wire(requestId, partition, sequence, StoredOutcome.of(outcome)));
    }

    public static ReplyRecord read(byte[] json) {
        Wire wire = Json.read(json, Wire.class);
        if (wire.requestId() == null || wire.outcome() == null) {
            throw new MalformedRecordException("a reply has request_id and outcome");
        }
        return new ReplyRecord(wire.requestId(), wire.partition(), wire.sequence(), wire.outcome().outcome());
    }

    /** The stored form of an outcome, in {@code request_outcome}. */
    public static String storedForm(Outcome outcome) {
        return new String(Json.write(StoredOutcome.of(outcome)), java.nio.charset.StandardCharsets.UTF_8);
    }

    public static Outcome readStored(String json) {
        return Json.read(json.getBytes(java.nio.charset.StandardCharsets.UTF_8), StoredOutcome.class).outcome();
    }
}
