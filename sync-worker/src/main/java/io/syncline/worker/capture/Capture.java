package io.syncline.worker.capture;

import io.syncline.worker.marks.StateMarks;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.dao.DataAccessException;

/**
 * Captures the source while this worker has the lease on it, and tries again, at growing intervals, whatever fails: nothing here
 * ends the worker.
 */
public final class Capture implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(Capture.class);

    private static final String GROUP = "syncline-capture";
    private static final Duration SHORTEST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
    private static final Duration LONG_RUN = Duration.ofMinutes(1);
    private static final Duration DELIVERY_TIMEOUT = Duration.ofMinutes(2);
    /** So many times in a row this worker finds the source unusable before another one may try. */
    private static final int UNUSABLE_BEFORE_REST = 2;

    private final SourceProperties sourceProperties;
    private final CaptureProperties properties;
    private final CaptureStore store;
    private final StateMarks marks;
    private final Map<String, Object> kafka;
    private final Duration sessionTimeout;
    private final short replication;

    private final Semaphore signal = new Semaphore(0);
    private volatile boolean stopping;
    private @Nullable CaptureLease lease;
    private @Nullable SourceGuard guard;
    private @Nullable Thread thread;
    private @Nullable String lastProblem;
    /** What the session before found that the state database lacks, until that is in Kafka; empty if nothing. */
    private final AtomicReference<String> wentBack = new AtomicReference<>("");
    private int unusable;

    /**
     * @param state          the state database; its schema is made by migrations
     * @param kafka          settings that every Kafka client here has: where the brokers are, and how to be let in
     * @param sessionTimeout after which the group takes a silent worker for dead
     * @param replication    of the topics that are made
     */
    public Capture(SourceProperties source, CaptureProperties properties, DataSource state, Map<String, Object> kafka,
            Duration sessionTimeout, short replication) {
        this.sourceProperties = source;
        this.properties = properties;
        this.store = new CaptureStore(state);
        this.marks = new StateMarks(kafka, holder());
        this.kafka = Map.copyOf(kafka);
        this.sessionTimeout = sessionTimeout;
        this.replication = replication;
    }

    @Override
    public synchronized void start() {
        String url = sourceProperties.url();
        if (url == null || url.isBlank()) {
            LOG.info("Capture is off: syncline.source.url is not set, so no table of a source is shared from here");
            return;
        }
        if (!properties.enabled()) {
            LOG.info("Capture is off: syncline.capture.enabled is false");
            return;
        }
        SourceDatabase source;
        try {
            source = new SourceDatabase(url, sourceProperties.username(), sourceProperties.password());
        } catch (SourceUnusableException e) {
            // Without the lease, which is for a worker that can capture: if there is one, what it tells comes after this.
            LOG.warn("The source is not captured: {}", e.problem().sentence());
            save(e.problem(), "");
            return;
        }
        stopping = false;
        CaptureLease taken = new CaptureLease(this::consumer, sessionTimeout, signal::release);
        SourceGuard sourceGuard = new SourceGuard(source, properties, store);
        Thread worker = Thread.ofPlatform().daemon().name("capture").unstarted(() -> run(source, taken, sourceGuard));
        lease = taken;
        thread = worker;
        guard = sourceGuard;
        sourceGuard.start();
        taken.start();
        worker.start();
    }

    @Override
    public synchronized void stop() {
        stopping = true;
        signal.release();
        if (thread != null) {
            try {
                thread.join(Duration.ofSeconds(40));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        if (lease != null) {
            lease.close();
        }
        if (guard != null) {
            guard.close();
        }
        thread = null;
        lease = null;
        guard = null;
    }

    @Override
    public synchronized boolean isRunning() {
        return thread != null;
    }

    private void run(SourceDatabase source, CaptureLease taken, SourceGuard sourceGuard) {
        Duration pause = SHORTEST_PAUSE;
        while (!stopping) {
            try {
                if (!taken.held()) {
                    waitFor(Duration.ofMillis(500));
                    continue;
                }
                long begun = System.nanoTime();
                turn(source, taken, sourceGuard);
                if (System.nanoTime() - begun > LONG_RUN.toNanos()) {
                    pause = SHORTEST_PAUSE;
                }
                if (!stopping && taken.held()) {
                    if (unusable >= UNUSABLE_BEFORE_REST) {
                        taken.rest(pause);
                    }
                    waitFor(pause);
                    pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void waitFor(Duration longest) throws InterruptedException {
        var unused = signal.tryAcquire(longest.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** One attempt, until it fails or is over. */
    private void turn(SourceDatabase source, CaptureLease taken, SourceGuard sourceGuard) throws InterruptedException {
        SourceCheck check = new SourceCheck(source, properties);
        SourceCheck.Report report = check.check();
        Supplier<String> warnings = () -> Stream
                .concat(report.warnings().stream().map(SourceProblem::sentence), Stream.of(sourceGuard.warning()))
                .filter(text -> !text.isEmpty())
                .collect(Collectors.joining("\n"));
        if (!report.problems().isEmpty()) {
            unusable++;
            tell(report.problems(), warnings.get());
            return;
        }
        report.warnings().forEach(warning -> LOG.warn("{}", warning.sentence()));
        signal.drainPermits();
        try (TableTopics topics = new TableTopics(Admin.create(kafka), store, properties.tablePartitions(),
                replication, properties.maxRowBytes());
                ChangePublisher publisher = new ChangePublisher(producer(), DELIVERY_TIMEOUT)) {
            new CaptureSession(source, properties, store, marks, topics, publisher, () -> !stopping && taken.held(),
                    signal,
                    holder(), warnings, wentBack)
                    .run();
            lastProblem = null;
            unusable = 0;
        } catch (SourceUnusableException e) {
            unusable++;
            tell(List.of(e.problem()), warnings.get());
        } catch (SupersededException e) {
            LOG.info("{}", e.getMessage());
        } catch (StateWentBackException e) {
            tell(List.of(new SourceProblem("capture", null, String.valueOf(e.getMessage()),
                    StateWentBackException.REMEDY, true)), warnings.get());
        } catch (SQLException e) {
            unusable = 0;
            tell(List.of(check.ofFailure(e)), warnings.get());
        } catch (ExecutionException | RuntimeException | Error e) {
            // An Error, too: a thread that ended here would keep the lease, and nobody would capture.
            unusable = 0;
            LOG.debug("Capture failed", e);
            String message = switch (e instanceof ExecutionException ? e.getCause() : e) {
                case KafkaException kafka -> ChangePublisher.sentence(kafka);
                case DataAccessException state -> "the state database: " + state.getMostSpecificCause().getMessage();
                case null, default -> String.valueOf(e.getMessage());
            };
            tell(List.of(SourceDatabase.isLockTimeout(e)
                    ? SourceCheck.ofLock(message)
                    : new SourceProblem("capture", null, message, "it is begun anew by itself", true)),
                    warnings.get());
        }
    }

    /** To the log once, to the operator's table as often as it happens. */
    private void tell(List<SourceProblem> problems, String warnings) {
        String sentence = problems.stream().map(SourceProblem::sentence).collect(Collectors.joining("; "));
        if (!sentence.equals(lastProblem)) {
            lastProblem = sentence;
            LOG.warn("The source is not captured: {}", sentence);
        }
        try {
            save(problems.getLast(), warnings);
        } catch (RuntimeException e) {
            LOG.warn("The state database does not take what capture has to tell: {}", e.getMessage());
        }
    }

    private void save(SourceProblem problem, String warnings) {
        store.saveProblem(holder(),
                new CaptureStore.SourceStatus("failed", problem, warnings, null, properties.slotName(),
                        properties.publication(), null, null, null));
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        Map<String, Object> settings = new HashMap<>(kafka);
        settings.putIfAbsent(ConsumerConfig.GROUP_ID_CONFIG, GROUP);
        settings.put(ConsumerConfig.CLIENT_ID_CONFIG, "syncline-capture-lease");
        // A worker that joins or leaves elsewhere leaves the lease where it is. Versions before had Kafka's default, which knows this
        // one too, so that they may be in the same group until they are replaced.
        settings.put(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, CooperativeStickyAssignor.class.getName());
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        // The lease's topic may be made after this: found within seconds, not within Kafka's five minutes.
        settings.put(ConsumerConfig.METADATA_MAX_AGE_CONFIG, 2000);
        settings.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, (int) sessionTimeout.toMillis());
        settings.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, (int) sessionTimeout.dividedBy(4).toMillis());
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private KafkaProducer<byte[], byte[]> producer() {
        Map<String, Object> settings = new HashMap<>(kafka);
        settings.put(ProducerConfig.CLIENT_ID_CONFIG, "syncline-capture");
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) DELIVERY_TIMEOUT.toMillis());
        settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 262_144);
        settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, Math.max(67_108_864L, 2L * properties.maxRowBytes()));
        settings.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
                (int) Math.min(Integer.MAX_VALUE, properties.maxRowBytes() + 65_536L));
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static String holder() {
        String host;
        try {
            host = InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            host = "unknown";
        }
        return host + "/" + ProcessHandle.current().pid();
    }
}
