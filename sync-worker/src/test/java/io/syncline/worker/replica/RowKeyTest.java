package io.syncline.worker.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RowKeyTest {

    @Test
    void parse_eachValueAsItsText() throws Exception {
        assertThat(RowKey.parse(utf8("[1, \"a\\\"é\\u0041\", true, 1.50, 1e400, {\"a\": [1, \"]\"]}, [1,2], -7]"),
                Collections.nCopies(8, KeyKind.TEXT)))
                .containsExactly("1", "a\"éA", "true", "1.50", "1e400", "{\"a\": [1, \"]\"]}", "[1,2]", "-7");
    }

    @Test
    void parse_anArrayAsPostgresWritesIt() throws Exception {
        assertThat(RowKey.parse(utf8("[[1,[\"a\\\"\\\\,{}\",null,true],{\"x\":[1]}],\"b\"]"),
                List.of(KeyKind.ARRAY, KeyKind.TEXT)))
                .containsExactly("{\"1\",{\"a\\\"\\\\,{}\",NULL,\"true\"},\"{\\\"x\\\":[1]}\"}", "b");
    }

    @Test
    void parse_jsonAsItIs() throws Exception {
        assertThat(RowKey.parse(utf8("[\"a\\\"\\u0001é\",null,1.00,true,{\"b\": 1},[1, null],\"1\"]"),
                Collections.nCopies(7, KeyKind.JSON)))
                .containsExactly("\"a\\\"\\u0001é\"", "null", "1.00", "true", "{\"b\": 1}", "[1, null]", "\"1\"");
        String deep = "[".repeat(3000) + "]".repeat(3000);
        assertThat(RowKey.parse(utf8("[" + deep + "]"), List.of(KeyKind.JSON))).containsExactly(deep);
    }

    @Test
    void parse_anArrayThatDoesNotBeginAtOne() throws Exception {
        assertThat(RowKey.parse(utf8("[\"[0:1]={1,2}\"]"), List.of(KeyKind.ARRAY))).containsExactly("[0:1]={1,2}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1", "[]", "[1", "[1,2]", "[null]", "{\"a\":1}", "[1] [1]", "[1]]", "nonsense"})
    void parse_anythingElse_isAFault(String key) {
        assertThatThrownBy(() -> RowKey.parse(utf8(key), List.of(KeyKind.TEXT))).isInstanceOf(TableFault.class);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, 42, 999_999_999_999_999_999L, Long.MAX_VALUE, Long.MIN_VALUE})
    void parseInteger_allOfThem(long value) throws Exception {
        assertThat(RowKey.parseInteger(utf8("[" + value + "]"))).isEqualTo(value);
        assertThat(RowKey.parseInteger(utf8("[\"" + value + "\"]"))).isEqualTo(value);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "[-]", "[1.5]", "[\"x\"]", "[9223372036854775808]", "[1,2]", "12", "[1x]"})
    void parseInteger_anythingElse_isAFault(String key) {
        assertThatThrownBy(() -> RowKey.parseInteger(utf8(key))).isInstanceOf(TableFault.class);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
