package io.syncline.worker.capture.debezium;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DebeziumNamesTest {

    @ParameterizedTest
    @ValueSource(strings = {"orders", "Orders", "a.b", "a b", "a\"b", "a\"b\"c", "t1\"", "'single'", "it's", "a`b",
        "back\\slash",
        "new\nline", "tab\tbed", " leading", "trailing ", "a,b", "%", "*", ".*", "[x]", "a$b", "Σ", "σς", "İ",
        "I\u0307",
        "\uD83D\uDE00\uD83D\uDE00", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk", "public.t",
        "(?i)x", "\\E", "lsn", "source"})
    void tablesThatKeepTheirNames(String name) {
        assertThat(DebeziumNames.keepsTable(name)).isTrue();
    }

    /** Taken for another table's, or for no name at all. */
    @ParameterizedTest
    @ValueSource(strings = {"\"", "\"t1", "\"t1\"", "\"\"", "a.b\"", "a b\"", " t1\"", "it''s", "a``b", "'\"",
        "\"a\"b\""})
    void tablesThatDebeziumCannotName(String name) {
        assertThat(DebeziumNames.keepsTable(name)).isFalse();
    }

    @Test
    void columnsInQuotes_loseThem() {
        assertThat(List.of("\"a\"", "'a'", "`a`")).noneMatch(DebeziumNames::keepsColumn);
        assertThat(List.of("a", "\"a", "a\"", "it's", "a b", "before", "after", "op", "source", "", " "))
                .allMatch(DebeziumNames::keepsColumn);
    }

    @Test
    void columnsThatDifferByCase_inAnyScript() {
        assertThat(DebeziumNames.firstTwin(List.of("id", "v", "V"))).isEqualTo("V");
        assertThat(DebeziumNames.firstTwin(List.of("É", "é"))).isEqualTo("é");
        assertThat(DebeziumNames.firstTwin(List.of("İ", "I\u0307"))).isEqualTo("I\u0307");
        assertThat(DebeziumNames.firstTwin(List.of("id", "v", "v "))).isNull();
        assertThat(DebeziumNames.firstTwin(List.of())).isNull();
    }
}
