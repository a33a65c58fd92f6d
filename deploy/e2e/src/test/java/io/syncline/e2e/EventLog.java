package io.syncline.e2e;

import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.ChainReader.Verdict;
import io.syncline.model.log.Hole;
import io.syncline.model.log.LoggedEvent;
import io.syncline.worker.audit.ChainReading;
import io.syncline.worker.audit.EventLogReader;
import io.syncline.worker.audit.PartitionRecords;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerConfig;

/**
 * The whole event log as an auditor reads it.
 *
 * @param counted  the events that count, partition by partition in their order
 * @param voided   records that no reader counts, with the reason
 * @param foreign  records that no worker wrote
 * @param holes    that nobody has acknowledged
 * @param fences   how many times a partition was taken over
 */
public record EventLog(
        List<LoggedEvent> counted,
        List<String> voided,
        List<String> foreign,
        List<Hole> holes,
        int fences,
        Map<Integer, ChainReader.Head> heads) {

    private static final Duration PATIENCE = Duration.ofMinutes(1);

    public static EventLog read(String bootstrapServers, CredentialKeys keys) {
        EventLog all = empty();
        int fences = 0;
        try (EventLogReader reader = new EventLogReader(
                Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers), PATIENCE)) {
            for (int number = 0; number < reader.partitions(); number++) {
                PartitionRecords partition = reader.partition(number);
                ChainReading.Read<Verdicts> read = ChainReading.read(partition, ChainReader.Head.start(),
                        partition.beginning(), partition.end(), keys, () -> new Verdicts(empty()));
                EventLog one = read.visitor().log;
                all.counted.addAll(one.counted);
                all.voided.addAll(one.voided);
                all.foreign.addAll(one.foreign);
                all.holes.addAll(one.holes);
                all.holes.addAll(read.reader().open());
                all.heads.put(number, read.reader().head());
                fences += read.visitor().fences;
            }
        }
        return new EventLog(all.counted, all.voided, all.foreign, all.holes, fences, all.heads);
    }

    private static EventLog empty() {
        return new EventLog(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), 0,
                new TreeMap<>());
    }

    private static final class Verdicts implements ChainReading.Visitor {

        private final EventLog log;
        private int fences;

        Verdicts(EventLog log) {
            this.log = log;
        }

        @Override
        public void verdict(long offset, Verdict verdict, ChainReader reader) {
            switch (verdict) {
                case Verdict.Counts(LoggedEvent event) -> log.counted.add(event);
                case Verdict.Raises _ -> fences++;
                case Verdict.Resumes resumes -> {
                    log.counted.addAll(resumes.bridge().restored());
                    log.counted.add(resumes.event());
                }
                case Verdict.RaisesBehind raises -> {
                    log.counted.addAll(raises.bridge().restored());
                    fences++;
                }
                case Verdict.Proves proves -> {
                    log.holes.addAll(proves.holes());
                    fences++;
                }
                case Verdict.Voided one -> log.voided.add(one.event() + ": " + one.why());
                case Verdict.Detached one -> log.voided.add(one.event() + ": " + one.why());
                case Verdict.Foreign one -> log.foreign.add("offset " + offset + ": " + one.why());
            }
        }
    }
}
