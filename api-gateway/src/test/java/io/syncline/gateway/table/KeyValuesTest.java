package io.syncline.gateway.table;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.table.KeyColumn;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class KeyValuesTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            integer | [1, -2, 0] | 1,-2,0
            bigint | [9223372036854775807] | 9223372036854775807
            bigint | [] | ``
            bigint | [123456789012345678901234567890] | 123456789012345678901234567890
            text | ["a", "", "ünï"] | a,,ünï
            character varying(20) | ["a"] | a
            uuid | ["018f2f3a-1b2c-7d3e-8f4a-5b6c7d8e9f00"] | 018f2f3a-1b2c-7d3e-8f4a-5b6c7d8e9f00
            numeric(12,2) | ["1.10", 2, 2.5] | 1.10,2,2.5
            double precision | [1.5, "NaN"] | 1.5,NaN
            boolean | [true] | true
            date | ["2025-12-15"] | 2025-12-15
            integer[] | [[1, null], [[2], [3]]] | {"1",NULL},{{"2"},{"3"}}
            jsonb | [{"a": [1]}] | {"a":[1]}
            integer | [{"id": 7}] | 7
            """)
    void fitting(String type, String ids, String texts) {
        assertThat(texts(type, ids).map(found -> String.join(",", found))).contains(texts);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            integer | [5.5]
            integer | [1.0]
            integer | ["5"]
            integer | [""]
            integer | [true]
            integer | [null]
            integer | [1, null]
            integer | [[1, 2]]
            integer | [{"a": 1}]
            text | [1]
            text | ["a\\u0000"]
            text | ["\\ud800"]
            uuid | [5]
            boolean | ["true"]
            numeric | [true]
            date | [20251215]
            """)
    void ofAnotherKind(String type, String ids) {
        assertThat(texts(type, ids)).isEmpty();
    }

    private static final List<KeyColumn> TWO = List.of(new KeyColumn("a", "integer", null),
            new KeyColumn("B", "mood", null, List.of("sad", "happy")));

    @Test
    void compositeKey_byPlaceOrByName() {
        assertThat(KeyValues.ids(TWO, ids("[[1,\"sad\"],{\"B\":\"happy\",\"a\":2}]")))
                .contains(List.of(List.of("1", "sad"), List.of("2", "happy")));
        for (String wrong : List.of("[1]", "[[1]]", "[[1,2]]", "[[1,\"sad\",3]]", "[{\"a\":1}]",
                "[{\"a\":1,\"B\":\"sad\",\"c\":1}]", "[[]]")) {
            assertThat(KeyValues.ids(TWO, ids(wrong))).as(wrong).isEmpty();
        }
    }

    @Test
    void bound_mayBeTheKeysBeginning() {
        assertThat(KeyValues.bound(TWO, ids("[[1]]").getFirst())).contains(List.of("1"));
        assertThat(KeyValues.bound(TWO, ids("[{\"a\":1}]").getFirst())).contains(List.of("1"));
        assertThat(KeyValues.bound(TWO, ids("[{\"B\":\"sad\"}]").getFirst())).isEmpty();
        assertThat(KeyValues.bound(TWO, ids("[1]").getFirst())).isEmpty();
    }

    @Test
    void tableWithoutKey_hasNoIds() {
        KeyColumn unnamed = new KeyColumn("", "bigint", null);

        assertThat(KeyValues.ids(List.of(unnamed, unnamed), ids("[[1,2]]"))).isEmpty();
    }

    @Test
    void bytes_alsoAsPhoenixKitGotThem() {
        assertThat(texts("uuid", "[{\"__phoenix_kit_binary__\":\"YWJjZGVmZ2hpamtsbW5vcA==\"}]"))
                .contains(List.of("61626364-6566-6768-696a-6b6c6d6e6f70"));
        assertThat(texts("bytea", "[{\"__phoenix_kit_binary__\":\"3q2+\"},\"\\\\x00\"]"))
                .contains(List.of("\\xdeadbe", "\\x00"));
        assertThat(texts("uuid", "[{\"__phoenix_kit_binary__\":\"YWJj\"}]")).isEmpty();
        assertThat(texts("uuid", "[{\"__phoenix_kit_binary__\":5}]")).isEmpty();
        assertThat(texts("text", "[{\"__phoenix_kit_binary__\":\"YWJj\"}]")).isEmpty();
    }

    @Test
    void tooMany() {
        JsonNode one = ids("[1]").getFirst();
        List<KeyColumn> key = List.of(new KeyColumn("a", "integer", null));

        assertThat(KeyValues.ids(key, Collections.nCopies(KeyValues.MAX_IDS, one))).isPresent();
        assertThat(KeyValues.ids(key, Collections.nCopies(KeyValues.MAX_IDS + 1, one))).isEmpty();
    }

    private static Optional<List<String>> texts(String type, String ids) {
        return KeyValues.ids(List.of(new KeyColumn("id", type, null)), ids(ids))
                .map(keys -> keys.stream().map(List::getFirst).toList());
    }

    private static List<JsonNode> ids(String json) {
        return JsonMapper.shared().readTree(json).valueStream().toList();
    }
}
