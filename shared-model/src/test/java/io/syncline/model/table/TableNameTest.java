package io.syncline.model.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.log.Topics;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TableNameTest {

    @ParameterizedTest
    @CsvSource({"orders, syncline.table.public.orders", "MixedCase, syncline.table.public.MixedCase",
        "with-dash, syncline.table.public.with-2ddash", "a.b, syncline.table.public.a-2eb",
        "ünï, syncline.table.public.-c3-bcn-c3-af"})
    void topic_holdsOnlyWhatKafkaAllows(String table, String topic) {
        assertThat(Topics.table(new TableName(table))).isEqualTo(topic).matches("[a-zA-Z0-9._-]+");
    }

    @Test
    void topic_ofLongNamesStaysShortAndDistinct() {
        String one = Topics.table(new TableName("é".repeat(30) + "abc"));
        String other = Topics.table(new TableName("é".repeat(30) + "abd"));
        assertThat(one.length()).isLessThanOrEqualTo(249);
        assertThat(one).isNotEqualTo(other);
        assertThat(new TableName("é".repeat(30)).escaped(63)).hasSize(63)
                .isNotEqualTo(new TableName("é".repeat(31)).escaped(63));
    }

    @Test
    void neverServed_prefixesAreLiteral() {
        assertThat(List.of("schema_migrations", "pg_prefixed", "oban_jobs", "phoenix_kit_user_tokens",
                "phoenix_kit_sync_connections", "phoenix_kit_settings"))
                .allMatch(name -> new TableName(name).neverServed());
        assertThat(List.of("schemaXlike", "pgx", "orders", "phoenix_kit_users"))
                .noneMatch(name -> new TableName(name).neverServed());
    }

    @Test
    void impossibleNames_areRefused() {
        assertThat(List.of("", "a\0b", "a".repeat(64), "é".repeat(32))).noneMatch(TableName::possible)
                .allSatisfy(name -> assertThatThrownBy(() -> new TableName(name))
                        .isInstanceOf(IllegalArgumentException.class));
        assertThat(TableName.possible("a".repeat(63))).isTrue();
    }

    @Test
    void place_comparesGenerationThenCommitThenOwnLsnThenNumber() {
        assertThat(List.of(new Place(2, 0, 0, 0), new Place(1, 5, 9, 0), new Place(1, 5, 1, 1), new Place(1, 5, 1, 0),
                new Place(1, 0, 0, 0)).stream().sorted().map(Place::toString))
                .containsExactly("1.0.0.0", "1.5.1.0", "1.5.1.1", "1.5.9.0", "2.0.0.0");
        assertThat(Place.parse("1.5.9.0")).isEqualTo(new Place(1, 5, 9, 0));
    }
}
