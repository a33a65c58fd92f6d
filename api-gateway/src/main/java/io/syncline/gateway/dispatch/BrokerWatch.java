package io.syncline.gateway.dispatch;

import io.syncline.gateway.state.Check;
import io.syncline.model.log.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the broker every two seconds: does it answer, are our topics there, with the number of partitions that requests
 * are spread over. While it is down nothing is sent, so that callers hear at once that nothing was applied.
 */
public final class BrokerWatch implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(BrokerWatch.class);
    private static final Duration INTERVAL = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofSeconds(4);
    /** One vain look may be a moment's load; requests that are sent meanwhile still get a true answer. */
    private static final int VAIN_LOOKS = 2;
    private static final Duration OTHER_KEYS_AGAIN = Duration.ofSeconds(10);

    private final KafkaSettings settings;
    private final int partitions;
    private final LogEnds logEnds;
    private final ScheduledExecutorService thread = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("broker-watch").factory());
    private volatile Check last = new Check.Down("the broker has not been reached yet",
            "wait a moment; if this stays, check spring.kafka.bootstrap-servers");
    private volatile Map<Integer, Long> requestEnds = Map.of();
    private @Nullable Admin admin;
    private LogEnds.Written written = LogEnds.Written.NOT_YET;
    private long logEndsRead;
    private int vain;

    BrokerWatch(KafkaSettings settings, int partitions, LogEnds logEnds) {
        this.settings = settings;
        this.partitions = partitions;
        this.logEnds = logEnds;
    }

    public void start() {
        var unused = thread.scheduleWithFixedDelay(this::look, 0, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    public Check last() {
        return last;
    }

    /** Where the requests of each partition ended at the last look; nothing while the broker is down. */
    public Map<Integer, Long> requestEnds() {
        return requestEnds;
    }

    private void look() {
        Check now;
        try {
            now = ask();
            vain = 0;
        } catch (InterruptedException e) {
            return;
        } catch (TimeoutException | ExecutionException | RuntimeException e) {
            vain++;
            if (vain < VAIN_LOOKS && last instanceof Check.Up) {
                return;
            }
            now = unreachable(e);
        }
        if (!now.equals(last)) {
            switch (now) {
                case Check.Up up -> log.info("broker: usable");
                case Check.Down down -> log.warn("broker: {}; {}", down.cause(), down.remedy());
            }
        }
        if (now instanceof Check.Down) {
            requestEnds = Map.of();
        }
        last = now;
    }

    private Check ask() throws InterruptedException, ExecutionException, TimeoutException {
        Admin client = admin;
        if (client == null) {
            // Here and not at start: an address that does not resolve (yet) makes the constructor throw.
            client = Admin.create(settings.admin());
            admin = client;
        }
        Map<String, KafkaFuture<TopicDescription>> described = client
                .describeTopics(List.of(Topics.REQUESTS, Topics.REPLIES, Topics.EVENTS))
                .topicNameValues();
        for (Map.Entry<String, KafkaFuture<TopicDescription>> topic : described.entrySet()) {
            try {
                int has = topic.getValue().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS).partitions().size();
                if (has != partitions) {
                    return new Check.Down(
                            "topic " + topic.getKey() + " has " + has + " partitions, syncline.topics.partitions is "
                                    + partitions,
                            "set syncline.topics.partitions to the number that the cluster was made with, in every gateway"
                                    + " and worker");
                }
            } catch (ExecutionException e) {
                if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                    return new Check.Down("topic " + topic.getKey() + " is not there yet",
                            "start a worker: workers make the topics");
                }
                throw e;
            }
        }
        if (readLogEnds() == LogEnds.Written.BY_OTHERS) {
            // With other keys a registration's token could never be opened or compared again by anybody else.
            return new Check.Down(
                    "none of the last records of " + Topics.EVENTS
                            + " was written with this gateway's keys: this is not the cluster's key file, or an older one",
                    "give this gateway the file that the cluster's workers have (syncline.credentials.key-file), and start"
                            + " it again");
        }
        requestEnds = ends(client);
        return new Check.Up();
    }

    /** Until it is known that the cluster's keys are ours; that they are not may mean thousands of records each time. */
    private LogEnds.Written readLogEnds() {
        boolean again = switch (written) {
            case BY_US -> false;
            case NOT_YET -> true;
            case BY_OTHERS -> System.nanoTime() - logEndsRead > OTHER_KEYS_AGAIN.toNanos();
        };
        if (again) {
            written = logEnds.read(partitions);
            logEndsRead = System.nanoTime();
        }
        return written;
    }

    private Map<Integer, Long> ends(Admin client) throws InterruptedException, ExecutionException, TimeoutException {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        for (int partition = 0; partition < partitions; partition++) {
            asked.put(new TopicPartition(Topics.REQUESTS, partition), OffsetSpec.latest());
        }
        Map<Integer, Long> ends = new HashMap<>();
        client.listOffsets(asked)
                .all()
                .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                .forEach((partition, end) -> ends.put(partition.partition(), end.offset()));
        return Map.copyOf(ends);
    }

    private static Check unreachable(Exception thrown) {
        Throwable cause = thrown instanceof ExecutionException && thrown.getCause() != null ? thrown.getCause()
                : thrown;
        String why = cause instanceof TimeoutException ? "no answer in time"
                : cause instanceof KafkaException && cause.getCause() != null
                        ? cause.getMessage() + ": " + cause.getCause().getMessage()
                : String.valueOf(cause.getMessage());
        return new Check.Down("the broker cannot be reached: " + why,
                "check that Kafka runs, and spring.kafka.bootstrap-servers and its security settings");
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
