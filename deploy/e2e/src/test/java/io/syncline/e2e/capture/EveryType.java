package io.syncline.e2e.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.assertj.core.api.SoftAssertions;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The tables of {@code every-type.sql} in a source: made, written to, and compared with what the topics say of them. */
record EveryType(CapturedSource source, List<String> tables) {

    private static final Duration LONGEST = Duration.ofMinutes(2);

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    static EveryType madeIn(CapturedSource source) {
        try (InputStream sql = Objects.requireNonNull(EveryType.class.getResourceAsStream("/every-type.sql"))) {
            source.execute(new String(sql.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> tables = source.ask(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1");
        assertThat(tables).hasSizeGreaterThan(70);
        return new EveryType(source, tables);
    }

    void awaitComplete() {
        await().atMost(LONGEST).until(() -> tables.stream().allMatch(source.topics()::isComplete));
    }

    /** Whoever captures after this one goes on with what has been read. */
    void awaitRemembered() {
        tables.forEach(table -> source.awaitRemembered(table, LONGEST));
    }

    /** All rows go and come again; the slot must bring them. */
    void writeAgain() {
        String names = String.join(", ", tables.stream().map(name -> "'" + name.replace("'", "''") + "'").toList());
        source.execute("""
                DO $$
                DECLARE t regclass; columns text;
                BEGIN
                    FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname IN (%s) LOOP
                        SELECT string_agg(quote_ident(attname), ', ') INTO columns
                        FROM pg_attribute WHERE attrelid = t AND attnum > 0 AND attgenerated = '';
                        EXECUTE format('CREATE TEMP TABLE kept AS SELECT %%s FROM %%s', columns, t);
                        EXECUTE format('DELETE FROM %%s', t);
                        EXECUTE format('INSERT INTO %%s (%%s) OVERRIDING SYSTEM VALUE SELECT * FROM kept', t, columns);
                        DROP TABLE kept;
                    END LOOP;
                END $$""".formatted(names));
    }

    /** A change behind all others has arrived. */
    void awaitStream() {
        source.execute("INSERT INTO empty_table SELECT count(*) + 1, 'mark' FROM empty_table");
        int rows = Integer.parseInt(source.ask("SELECT count(*) FROM empty_table").getFirst());
        await().atMost(LONGEST).until(() -> source.topics().rows("empty_table").size() == rows);
    }

    /**
     * What has been sent with the mark may arrive a moment after it, since each table has a topic of its own.
     *
     * @param by how the rows came, for the message
     */
    void verify(String by) {
        await().atMost(LONGEST).untilAsserted(() -> compare(by));
    }

    private void compare(String by) {
        SoftAssertions soft = new SoftAssertions();
        for (String table : tables) {
            soft.assertThat(trees(source.topics().rows(table)))
                    .as(table + " by " + by)
                    .isEqualTo(trees(SourceOracle.rows(source.database(), CapturedSource.SOURCE, table)));
        }
        soft.assertAll();
    }

    /** How often each table has been read, the first time included. */
    Map<String, Long> generations() {
        return tables.stream().collect(Collectors.toMap(table -> table, source.topics()::generation));
    }

    private static Map<String, JsonNode> trees(Map<String, String> rows) {
        Map<String, JsonNode> trees = new TreeMap<>();
        rows.forEach((key, row) -> trees.put(key, JSON.readTree(row)));
        assertThat(trees.values()).allMatch(JsonNode::isObject);
        return trees;
    }
}
