package io.syncline.e2e.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.worker.capture.Capture;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever happens to the source's tables and to the capturer: the topics say what the tables are. */
class CaptureIT {

    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir Path directory;

    private CapturedSource source;

    @BeforeEach
    void start() {
        source = new CapturedSource(directory);
    }

    @AfterEach
    void stop() {
        source.close();
    }

    @Test
    void tablesThatAreThere_andWhatThenHappensToThem() {
        source.execute("CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL, balance numeric(10,2))",
                "INSERT INTO customers SELECT g, 'name ' || g, g * 1.5 FROM generate_series(1, 1000) g");
        source.startCapture();
        awaitEqual("customers");

        source.execute("INSERT INTO customers VALUES (1001, 'new', NULL)",
                "UPDATE customers SET balance = balance + 1 WHERE id <= 10",
                "DELETE FROM customers WHERE id BETWEEN 20 AND 30", "UPDATE customers SET id = -id WHERE id = 40");
        awaitEqual("customers");

        source.execute("TRUNCATE customers", "INSERT INTO customers VALUES (5, 'after', 1)");
        awaitEqual("customers");
        assertThat(source.topics().rows("customers")).containsOnlyKeys("[5]");
    }

    @Test
    void aTableMadeWhileRunning() {
        source.startCapture();
        await().atMost(SOON)
                .until(() -> source.askState("SELECT state FROM syncline.capture_source").equals(List.of("running")));
        source.execute("CREATE TABLE \"Late Comer\" (code varchar(20) PRIMARY KEY, v uuid DEFAULT gen_random_uuid())",
                "INSERT INTO \"Late Comer\" (code) SELECT 'c' || g FROM generate_series(1, 50) g");
        long begun = System.nanoTime();
        awaitEqual("Late Comer");
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(10));
        source.execute("UPDATE \"Late Comer\" SET code = code || 'x'");
        awaitEqual("Late Comer");
    }

    @Test
    void aRestartInBetween() {
        source.execute("CREATE TABLE t (a int, b text, v int, PRIMARY KEY (b, a))",
                "INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2)");
        Capture first = source.startCapture();
        awaitEqual("t");
        long generation = source.topics().generation("t");
        first.stop();
        source.execute("UPDATE t SET v = 10", "INSERT INTO t VALUES (3, 'z', 3)", "DELETE FROM t WHERE a = 2");
        source.startCapture();
        awaitEqual("t");
        assertThat(source.topics().generation("t")).isEqualTo(generation);
        assertThat(source.topics().rows("t")).containsOnlyKeys("[\"x\",1]", "[\"z\",3]");
    }

    /** What the topic says, and what the source says of itself. */
    private void awaitEqual(String table) {
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(source.topics().isComplete(table)).isTrue();
            assertThat(source.topics().rows(table)).isEqualTo(expected(table));
        });
    }

    private Map<String, String> expected(String table) {
        return new TreeMap<>(SourceOracle.rows(source, table));
    }
}
