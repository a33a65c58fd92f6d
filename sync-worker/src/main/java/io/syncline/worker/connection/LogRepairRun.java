package io.syncline.worker.connection;

import com.fasterxml.uuid.Generators;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.Hole;
import io.syncline.worker.audit.EventLogReader;
import io.syncline.worker.connection.LogRepair.Damage;
import io.syncline.worker.connection.LogRepair.Missing;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.Producer;
import org.jspecify.annotations.Nullable;

/** The command {@code repair-log}, once settings and arguments are known: reads, tells, and on request writes. */
public final class LogRepairRun {

    private static final int MOST_EVENT_BYTES = 1024 * 1024;

    private final LogRepair repair;
    private final EventLogReader reader;
    private final KafkaClients clients;
    private final Consumer<String> tell;

    /** An operator's word. */
    public record Word(String by, String reason) {}

    /** What came of it. */
    public enum End {
        /** Nothing is missing, or all of it is acknowledged now. */
        WHOLE,
        /** Something is missing, and nothing was written. */
        DAMAGED,
        /** Something could not be judged or done. */
        REFUSED
    }

    /** @param kafka client settings: servers, security */
    public LogRepairRun(DataSource database, CredentialKeys keys, EventLogReader reader, Map<String, Object> kafka,
            Consumer<String> tell) {
        this.repair = new LogRepair(new PostgresConnectionStore(database), new StoredEvents(database, keys), keys,
                Generators.timeBasedEpochGenerator()::generate);
        this.reader = reader;
        this.clients = new KafkaClients(kafka, "repair-log", Duration.ofSeconds(10), Duration.ofSeconds(3));
        this.tell = tell;
    }

    /**
     * @param only one partition; all of them where empty
     * @param word null for a look that writes nothing
     */
    public End run(int partitions, OptionalInt only, @Nullable Word word) {
        boolean damaged = false;
        boolean refused = false;
        for (int partition : IntStream.range(0, partitions).filter(one -> only.orElse(one) == one).toArray()) {
            String where = "partition " + partition + ": ";
            Damage damage;
            try (Producer<byte[], byte[]> producer = clients.events(MOST_EVENT_BYTES)) {
                KafkaPartitionLog log = new KafkaPartitionLog(partition, partition, reader, producer);
                damage = repair.look(log);
                String cannot = damage.refused();
                if (cannot != null) {
                    refused = true;
                    tell.accept(where + "NOT REPAIRED: " + cannot);
                    continue;
                }
                if (damage.missing().isEmpty()) {
                    tell.accept(where + "nothing is missing");
                    continue;
                }
                damage.missing().forEach(one -> tell.accept(where + described(one)));
                if (word == null) {
                    damaged = true;
                    tell.accept(where
                            + "would be acknowledged: --acknowledge --reason \"…\" does it, and the partition goes"
                            + " on by itself");
                    continue;
                }
                long at = repair.acknowledge(log, damage, word.by(), word.reason());
                boolean left = !repair.look(log).missing().isEmpty();
                damaged |= left;
                tell.accept(where + "acknowledged at offset " + at + " by " + word.by()
                        + (left ? "; but the log was written meanwhile: look again" : ""));
            }
        }
        return refused ? End.REFUSED : damaged ? End.DAMAGED : End.WHOLE;
    }

    private static String described(Missing missing) {
        Hole hole = missing.hole();
        long events = missing.restorable().size() + missing.lost();
        return "HOLE between offsets " + hole.fromOffset() + " and " + hole.toOffset() + ": " + hole.what()
                + (events == 0 ? "; no event is known to be missing"
                        : "; the state database has " + missing.restorable().size() + " of " + events
                                + " missing events with the hashes that their neighbours prove, and they are restored"
                                + (missing.lost() == 0 ? ""
                                        : "; " + missing.lost()
                                                + " are lost, and the database's rows stay as they are"));
    }
}
