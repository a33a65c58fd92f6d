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

    @Test
    void compositeKey_hasNoSingleIds() {
        KeyColumn column = new KeyColumn("a", "integer", null);

        assertThat(KeyValues.texts(List.of(column, column), ids("[1]"))).isEmpty();
    }

    @Test
    void tooMany() {
        JsonNode one = ids("[1]").getFirst();
        List<KeyColumn> key = List.of(new KeyColumn("a", "integer", null));

        assertThat(KeyValues.texts(key, Collections.nCopies(KeyValues.MAX_IDS, one))).isPresent();
        assertThat(KeyValues.texts(key, Collections.nCopies(KeyValues.MAX_IDS + 1, one))).isEmpty();
    }

    private static Optional<List<String>> texts(String type, String ids) {
        return KeyValues.texts(List.of(new KeyColumn("id", type, null)), ids(ids));
    }

    private static List<JsonNode> ids(String json) {
        return JsonMapper.shared().readTree(json).valueStream().toList();
    }
}
