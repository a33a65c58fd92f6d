package io.syncline.model.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RowChecksumTest {

    /** The algorithm's published values: another site must come to the same. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            `` | ef46db3751d8e999
            a | d24ec4f1a98c6e5b
            abc | 44bc2cf5ad770999
            Nobody inspects the spammish repetition | fbcea83c8a378bf1
            """)
    void xxh64_knownValues(String text, String hash) {
        byte[] bytes = utf8(text);
        assertThat(RowChecksum.text(RowChecksum.xxh64(bytes, 0, bytes.length, 0))).isEqualTo(hash);
    }

    @Test
    void columnsByName_notByTheirOrder() {
        assertThat(of("{\"a\":1,\"b\":{\"x\":[1,\"}\"]},\"c\":null}"))
                .isEqualTo(of("{\"c\": null, \"b\":{\"x\":[1,\"}\"]} ,\"a\":1}"))
                .isEqualTo(of("{ \"a\" : 1,\"c\":null,\"b\":{\"x\":[1,\"}\"]}}"));
    }

    @Test
    void everyDifference_isOne() {
        Set<Long> hashes = new HashSet<>();
        for (String row : new String[]{"{}", "{\"a\":1}", "{\"a\":2}", "{\"b\":1}", "{\"a\":\"1\"}", "{\"a\":null}",
            "{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", "{\"a\":[1,2]}", "{\"a\":[2,1]}", "{\"a\":\"\\\"\"}"}) {
            assertThat(hashes.add(of(row))).as(row).isTrue();
        }
    }

    @Test
    void valuesThatChangePlacesBetweenRows_changeTheSum() {
        assertThat(of("{\"a\":1,\"b\":1}") + of("{\"a\":2,\"b\":2}"))
                .isNotEqualTo(of("{\"a\":1,\"b\":2}") + of("{\"a\":2,\"b\":1}"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "1", "{\"a\"", "{\"a\":", "{a:1}", "{\"a\" 1}"})
    void whatIsNoRow(String row) {
        assertThatThrownBy(() -> of(row)).isInstanceOf(IllegalArgumentException.class);
    }

    private static long of(String row) {
        return RowChecksum.of(utf8(row));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
