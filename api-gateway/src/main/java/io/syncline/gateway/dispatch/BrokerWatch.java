package io.syncline.gateway.dispatch;

import io.syncline.gateway.state.Check;
import io.syncline.model.log.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the broker every two seconds: does it answer, are our topics there, with the number of partitions that requests
 * are spread over. While it is down nothing is sent, so that callers hear at once that nothing was applied. One broker of
 * several that does not answer keeps only those sites waiting whose requests it leads.
 */
public final class BrokerWatch implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(BrokerWatch.class);
    private static final Duration INTERVAL = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofSeconds(4);
    /** One vain look may be a moment's load; requests that are sent meanwhile still get a true answer. */
    private static final int VAIN_LOOKS = 2;
    /**
     * A client that has failed for so many looks may be one that will never do anything else: its thread has ended with an
     * Error, or it was refused for what has been put right since. A new one costs little.
     */
    private static final int LOOKS_OF_ONE_CLIENT = 3;
    private static final int MOST_LOOKS_OF_ONE_CLIENT = 24;
    private static final String REMEDY = "check that Kafka runs, and spring.kafka.bootstrap-servers and its security"
            + " settings";

    private final Supplier<Admin> newAdmin;
    private final int partitions;
    private final Supplier<LogEnds.Written> written;
    private final ScheduledExecutorService thread = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("broker-watch").factory());
    private volatile Check last = new Check.Down("the broker has not been reached yet",
            "wait a moment; if this stays, check spring.kafka.bootstrap-servers");
    private volatile Map<Integer, Long> requestEnds = Map.of();
    /** By partition of the requests, why none of them is sent now. */
    private volatile Map<Integer, String> unusable = Map.of();
    private @Nullable Admin admin;
    private int vain;
    private int looksOfClient;
    private int replaceAfter = LOOKS_OF_ONE_CLIENT;
    private final Map<Integer, Integer> vainFor = new HashMap<>();

    /**
     * @param newAdmin makes a client; may throw while an address does not resolve
     * @param written  whose keys the event log was written with
     */
    BrokerWatch(Supplier<Admin> newAdmin, int partitions, Supplier<LogEnds.Written> written) {
        this.newAdmin = newAdmin;
        this.partitions = partitions;
        this.written = written;
    }

    public void start() {
        var unused = thread.scheduleWithFixedDelay(this::look, 0, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    public Check last() {
        return last;
    }

    /** Whether requests of this partition would get through now. */
    Check usable(int partition) {
        String why = unusable.get(partition);
        return last instanceof Check.Down || why == null ? last : new Check.Down(why, REMEDY);
    }

    /** Where the requests of each partition ended at the last look, as far as its leader said so. */
    public Map<Integer, Long> requestEnds() {
        return requestEnds;
    }

    void look() {
        Check now;
        try {
            now = ask();
            vain = 0;
            replaceAfter = LOOKS_OF_ONE_CLIENT;
            looksOfClient = 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        } catch (TimeoutException | ExecutionException | RuntimeException | Error e) {
            // An Error, too: a watch that has stopped would say for ever what was true once.
            vain++;
            boolean replaced = replaceClient();
            if (vain < VAIN_LOOKS && !(last instanceof Check.Down)) {
                return;
            }
            now = unreachable(e, replaced);
        }
        if (!now.equals(last)) {
            switch (now) {
                case Check.Up up -> log.info("broker: usable");
                case Check.Limited limited -> log.warn("broker: {}; {}", limited.cause(), limited.remedy());
                case Check.Down down -> log.warn("broker: {}; {}", down.cause(), down.remedy());
            }
        }
        if (now instanceof Check.Down) {
            requestEnds = Map.of();
        }
        last = now;
    }

    /** Whether the client was given up, so that the next look makes another one. */
    private boolean replaceClient() {
        Admin client = admin;
        if (client == null || ++looksOfClient < replaceAfter) {
            return false;
        }
        log.warn("broker: its client has failed {} times in a row and is replaced", looksOfClient);
        looksOfClient = 0;
        replaceAfter = Math.min(2 * replaceAfter, MOST_LOOKS_OF_ONE_CLIENT);
        admin = null;
        // Not here: closing waits for the client's thread, which may be what hangs.
        Thread.ofVirtual().name("broker-watch-close").start(() -> client.close(Duration.ZERO));
        return true;
    }

    private Check ask() throws InterruptedException, ExecutionException, TimeoutException {
        Admin client = admin;
        if (client == null) {
            // Here and not at start: an address that does not resolve (yet) makes the constructor throw.
            client = newAdmin.get();
            admin = client;
        }
        Map<String, KafkaFuture<TopicDescription>> described = client
                .describeTopics(List.of(Topics.REQUESTS, Topics.REPLIES, Topics.EVENTS))
                .topicNameValues();
        Map<Integer, String> without = new TreeMap<>();
        for (Map.Entry<String, KafkaFuture<TopicDescription>> topic : described.entrySet()) {
            try {
                List<TopicPartitionInfo> has = topic.getValue()
                        .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                        .partitions();
                if (has.size() != partitions) {
                    return new Check.Down(
                            "topic " + topic.getKey() + " has " + has.size()
                                    + " partitions, syncline.topics.partitions is " + partitions,
                            "set syncline.topics.partitions to the number that the cluster was made with, in every gateway"
                                    + " and worker");
                }
                if (topic.getKey().equals(Topics.EVENTS)) {
                    leaderless(has, without);
                }
            } catch (ExecutionException e) {
                if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                    return new Check.Down("topic " + topic.getKey() + " is not there yet",
                            "start a worker: workers make the topics");
                }
                throw e;
            }
        }
        Check keys = keys();
        if (keys instanceof Check.Down) {
            return keys;
        }
        return ends(client, without);
    }

    /** What is decided there could not be published, and nobody would be answered: better not to begin. */
    private static void leaderless(List<TopicPartitionInfo> events, Map<Integer, String> without) {
        for (TopicPartitionInfo partition : events) {
            Node leader = partition.leader();
            if (leader == null || leader.isEmpty()) {
                without.put(partition.partition(), Topics.EVENTS + "-" + partition.partition() + " has no leader");
            }
        }
    }

    private Check keys() {
        return switch (written.get()) {
            case BY_US, NOT_YET -> new Check.Up();
            case NOT_READ -> new Check.Down("the end of topic " + Topics.EVENTS + " has not been read yet",
                    "wait a moment; if this stays, check that this gateway reaches every broker");
            // With other keys a registration's token could never be opened or compared again by anybody else.
            case BY_OTHERS -> new Check.Down(
                    "none of the last records of " + Topics.EVENTS
                            + " was written with this gateway's keys: this is not the cluster's key file, or an older one",
                    "give this gateway the file that the cluster's workers have (syncline.credentials.key-file), and start"
                            + " it again");
        };
    }

    /** Each partition for itself: what one leader does not say keeps none of the others. */
    private Check ends(Admin client, Map<Integer, String> without)
            throws InterruptedException, ExecutionException, TimeoutException {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        for (int partition = 0; partition < partitions; partition++) {
            asked.put(new TopicPartition(Topics.REQUESTS, partition), OffsetSpec.latest());
        }
        ListOffsetsResult told = client.listOffsets(asked);
        long until = System.nanoTime() + PATIENCE.toNanos();
        Map<Integer, Long> ends = new HashMap<>();
        List<Exception> failures = new ArrayList<>();
        for (int partition = 0; partition < partitions; partition++) {
            try {
                long left = Math.max(0, until - System.nanoTime());
                ends.put(partition, told.partitionResult(new TopicPartition(Topics.REQUESTS, partition))
                        .get(left, TimeUnit.NANOSECONDS)
                        .offset());
                vainFor.remove(partition);
            } catch (ExecutionException | TimeoutException e) {
                failures.add(e);
                if (vainFor.merge(partition, 1, Integer::sum) >= VAIN_LOOKS) {
                    without.put(partition, "the leader of " + Topics.REQUESTS + "-" + partition
                            + " cannot be reached: " + why(e));
                }
            }
        }
        if (failures.size() == partitions) {
            switch (failures.getFirst()) {
                case ExecutionException e -> throw e;
                case TimeoutException e -> throw e;
                case Exception e -> throw new IllegalStateException(e);
            }
        }
        requestEnds = Map.copyOf(ends);
        unusable = Map.copyOf(without);
        return without.isEmpty() ? new Check.Up()
                : new Check.Limited("requests of some sites are refused: " + String.join("; ", without.values()),
                        REMEDY);
    }

    private static Check unreachable(Throwable thrown, boolean replaced) {
        return new Check.Down("the broker cannot be reached: " + why(thrown)
                + (replaced ? "; the client is replaced" : ""), REMEDY);
    }

    private static String why(Throwable thrown) {
        Throwable cause = thrown instanceof ExecutionException && thrown.getCause() != null ? thrown.getCause()
                : thrown;
        return cause instanceof TimeoutException ? "no answer in time"
                : cause instanceof KafkaException && cause.getCause() != null
                        ? cause.getMessage() + ": " + cause.getCause().getMessage()
                : String.valueOf(cause.getMessage());
    }

    @Override
    public void close() {
        thread.shutdownNow();
        try {
            // The thread may be in a call: closing its client before it has left would be for nothing.
            boolean ended = thread.awaitTermination(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            Admin client = admin;
            if (ended && client != null) {
                client.close(Duration.ofSeconds(1));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
