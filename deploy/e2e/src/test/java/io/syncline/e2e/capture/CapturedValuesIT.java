package io.syncline.e2e.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.worker.capture.Capture;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every type and every shape of table: what the topics show is what PostgreSQL itself shows. */
class CapturedValuesIT {

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    @TempDir Path directory;

    @Test
    void valuesArriveAsTheyAre_bySnapshot_byStream_andByARestartInBetween() throws IOException {
        try (CapturedSource source = new CapturedSource(directory)) {
            source.execute(everyType());
            List<String> tables = source.ask(
                    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1");
            assertThat(tables).hasSizeGreaterThan(70);

            Capture capture = source.startCapture();
            await().atMost(Duration.ofSeconds(60)).until(() -> tables.stream().allMatch(source.topics()::isComplete));
            verify(source, tables, "snapshot");

            writeAgain(source);
            awaitStream(source);
            verify(source, tables, "stream");

            capture.stop();
            writeAgain(source);
            source.startCapture();
            awaitStream(source);
            verify(source, tables, "stream behind a restart");
            assertThat(tables).allMatch(table -> source.topics().generation(table) == 1);
        }
    }

    /** All rows go and come again; the slot must bring them. */
    private static void writeAgain(CapturedSource source) {
        source.execute("""
                DO $$
                DECLARE t regclass; columns text;
                BEGIN
                    FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
                        SELECT string_agg(quote_ident(attname), ', ') INTO columns
                        FROM pg_attribute WHERE attrelid = t AND attnum > 0 AND attgenerated = '';
                        EXECUTE format('CREATE TEMP TABLE kept AS SELECT %s FROM %s', columns, t);
                        EXECUTE format('DELETE FROM %s', t);
                        EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT * FROM kept', t, columns);
                        DROP TABLE kept;
                    END LOOP;
                END $$""");
    }

    /** A change behind all others has arrived. */
    private static void awaitStream(CapturedSource source) {
        source.execute("INSERT INTO empty_table SELECT count(*) + 1, 'mark' FROM empty_table");
        int rows = Integer.parseInt(source.ask("SELECT count(*) FROM empty_table").getFirst());
        await().atMost(Duration.ofSeconds(60)).until(() -> source.topics().rows("empty_table").size() == rows);
    }

    private static void verify(CapturedSource source, List<String> tables, String by) {
        SoftAssertions soft = new SoftAssertions();
        for (String table : tables) {
            soft.assertThat(trees(source.topics().rows(table)))
                    .as(table + " by " + by)
                    .isEqualTo(trees(SourceOracle.rows(source, table)));
        }
        soft.assertAll();
    }

    private static Map<String, JsonNode> trees(Map<String, String> rows) {
        Map<String, JsonNode> trees = new TreeMap<>();
        rows.forEach((key, row) -> trees.put(key, JSON.readTree(row)));
        assertThat(trees.values()).allMatch(JsonNode::isObject);
        return trees;
    }

    private static String everyType() throws IOException {
        try (InputStream sql = Objects.requireNonNull(CapturedValuesIT.class.getResourceAsStream("/every-type.sql"))) {
            return new String(sql.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
