package io.syncline.worker.connection;

import io.syncline.model.connection.Grant;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.log.RequestRecord;
import io.syncline.model.log.Topics;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says when something's time has come, to whoever decides: a sender connection that has reached its {@code expires_at}, a
 * grant that nobody reports any more. Asked twice, or by two workers, it is decided once.
 */
final class ExpiryClock implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ExpiryClock.class);

    private static final Duration EVERY = Duration.ofSeconds(1);
    /** What is not decided by then is asked for again. */
    private static final Duration ASK_AGAIN = Duration.ofSeconds(30);
    private static final int AT_ONCE = 1_000;

    private static final String EXPIRED = """
            SELECT c.site_url, c.uuid, clock_timestamp() FROM syncline.connection c
            LEFT JOIN syncline.pull_use u ON u.site_url = c.site_url
            WHERE c.expires_at <= clock_timestamp() AND u.expiry_recorded IS DISTINCT FROM c.expires_at
            ORDER BY c.expires_at LIMIT ?""";
    private static final String OVERDUE = """
            SELECT site_url, grant_id, clock_timestamp() FROM syncline.pull_grant
            WHERE until <= clock_timestamp() - ? * interval '1 second' ORDER BY until LIMIT ?""";

    private final DataSource database;
    private final RenewedProducer producer;
    private final PartitionOf partitions;
    private final IntPredicate ours;
    private final Supplier<UUID> newId;
    private final ScheduledExecutorService timer = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().name("expiry-clock").daemon().factory());
    /** Asked and not decided yet, with when to ask again. The timer's thread only. */
    private final java.util.Map<UUID, Long> asked = new java.util.HashMap<>();
    private @Nullable String trouble;

    /** Which partition a site's requests go to. */
    @FunctionalInterface
    interface PartitionOf {
        int key(byte[] key);
    }

    /** @param ours whether this worker decides a partition */
    ExpiryClock(DataSource database, RenewedProducer producer, PartitionOf partitions, IntPredicate ours,
            Supplier<UUID> newId) {
        this.database = database;
        this.producer = producer;
        this.partitions = partitions;
        this.ours = ours;
        this.newId = newId;
    }

    void start() {
        var unused = timer.scheduleWithFixedDelay(this::tick, EVERY.toMillis(), EVERY.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    /** Something that is due, and the database's time when that was seen. */
    private record Due(SiteRequest request, UUID of, Instant at) {}

    private void tick() {
        try {
            long now = System.nanoTime();
            asked.values().removeIf(again -> now - again >= 0);
            for (Due due : due()) {
                int partition = partitions.key(key(due.request().siteUrl()));
                if (ours.test(partition) && asked.putIfAbsent(due.of(), now + ASK_AGAIN.toNanos()) == null) {
                    ask(partition, due);
                }
            }
            trouble = null;
        } catch (SQLException | RuntimeException | Error e) {
            // An Error, too: a timer calls nothing again that has thrown.
            String why = String.valueOf(e.getMessage());
            if (!why.equals(trouble)) {
                log.warn("Expired connections and overdue grants are not looked for now: {}", why);
                trouble = why;
            }
        }
    }

    private List<Due> due() throws SQLException {
        List<Due> due = new ArrayList<>();
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(true);
            try (PreparedStatement select = connection.prepareStatement(EXPIRED)) {
                select.setInt(1, AT_ONCE);
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        UUID uuid = rows.getObject(2, UUID.class);
                        due.add(new Due(new SiteRequest.ExpiryReached(SiteUrl.asSent(rows.getString(1)), uuid), uuid,
                                SqlTime.read(rows, 3)));
                    }
                }
            }
            try (PreparedStatement select = connection.prepareStatement(OVERDUE)) {
                select.setLong(1, Grant.REPORTED_WITHIN.toSeconds());
                select.setInt(2, AT_ONCE);
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        UUID grant = rows.getObject(2, UUID.class);
                        due.add(new Due(new SiteRequest.GrantOverdue(SiteUrl.asSent(rows.getString(1)), grant), grant,
                                SqlTime.read(rows, 3)));
                    }
                }
            }
        }
        return due;
    }

    private void ask(int partition, Due due) {
        RequestRecord request = new RequestRecord(newId.get(), due.at().plus(ASK_AGAIN), due.request());
        producer.send(new ProducerRecord<>(Topics.REQUESTS, partition, key(due.request().siteUrl()), request.toJson()),
                (metadata, failure) -> {
                    if (failure != null) {
                        log.debug("{} could not be asked for, it will be again", due.request(), failure);
                    }
                });
    }

    private static byte[] key(SiteUrl site) {
        return site.text().getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        timer.shutdownNow();
        try {
            // The thread may be in a call: its producer is closed once it has left.
            if (timer.awaitTermination(5, TimeUnit.SECONDS)) {
                producer.close();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
