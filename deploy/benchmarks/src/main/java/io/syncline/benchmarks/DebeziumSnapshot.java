package io.syncline.benchmarks;

import io.debezium.embedded.Connect;
import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.syncline.benchmarks.site.ProcessorTime;
import io.syncline.benchmarks.site.SiteUnderTest;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.connect.source.SourceRecord;

/** The control for a snapshot: Debezium's own engine reads a table for a consumer that throws everything away. */
final class DebeziumSnapshot {

    /** An engine that has ended leaves its name behind, and another of that name would wait for it. */
    private static final AtomicInteger ENGINES = new AtomicInteger();

    private static final long PATIENCE_SECONDS = 300;

    private DebeziumSnapshot() {}

    /**
     * What it took from the engine's start to the last row.
     *
     * @param table with its schema
     */
    static TablesBenchmark.Captured read(SiteUnderTest site, Connection source, String table, long rows)
            throws IOException, InterruptedException, SQLException {
        CountDownLatch done = new CountDownLatch(1);
        AtomicLong read = new AtomicLong();
        ProcessorTime before = site.processorTime();
        long begun = System.nanoTime();
        DebeziumEngine<ChangeEvent<SourceRecord, SourceRecord>> engine = DebeziumEngine.create(Connect.class)
                .using(settings(source, site.databasePassword(), table))
                .notifying((List<ChangeEvent<SourceRecord, SourceRecord>> records,
                        DebeziumEngine.RecordCommitter<ChangeEvent<SourceRecord, SourceRecord>> committer) -> {
                    if (read.addAndGet(records.size()) >= rows) {
                        done.countDown();
                    }
                    committer.markBatchFinished();
                })
                .build();
        Thread thread = Thread.ofPlatform().name("control").daemon().start(engine);
        try {
            if (!done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException(
                        "Debezium read %d of %d rows in %d s".formatted(read.get(), rows, PATIENCE_SECONDS));
            }
            return new TablesBenchmark.Captured((System.nanoTime() - begun) / 1e9, site.processorTime().since(before));
        } finally {
            end(engine, thread);
        }
    }

    private static void end(DebeziumEngine<?> engine, Thread thread) throws IOException, InterruptedException {
        try {
            engine.close();
        } catch (IllegalStateException e) {
            // Behind the last row it may have ended by itself.
        }
        thread.join(TimeUnit.SECONDS.toMillis(30));
    }

    private static Properties settings(Connection source, String password, String table) throws SQLException {
        String url = source.getMetaData().getURL();
        String port = url.replaceAll(".*:(\\d+)/.*", "$1");
        String name = "control_" + ENGINES.incrementAndGet();
        Properties settings = new Properties();
        settings.setProperty("name", name);
        settings.setProperty("connector.class", "io.debezium.connector.postgresql.PostgresConnector");
        settings.setProperty("offset.storage", "org.apache.kafka.connect.storage.MemoryOffsetBackingStore");
        settings.setProperty("topic.prefix", name);
        settings.setProperty("database.hostname", "127.0.0.1");
        settings.setProperty("database.port", port);
        settings.setProperty("database.user", source.getMetaData().getUserName());
        settings.setProperty("database.password", password);
        settings.setProperty("database.dbname", source.getCatalog());
        settings.setProperty("plugin.name", "pgoutput");
        settings.setProperty("slot.name", name);
        settings.setProperty("slot.drop.on.stop", "true");
        settings.setProperty("publication.name", "control");
        settings.setProperty("publication.autocreate.mode", "filtered");
        settings.setProperty("table.include.list", table);
        settings.setProperty("snapshot.mode", "initial_only");
        settings.setProperty("snapshot.max.threads", "2");
        settings.setProperty("max.batch.size", "8192");
        settings.setProperty("max.queue.size", "32768");
        return settings;
    }
}
