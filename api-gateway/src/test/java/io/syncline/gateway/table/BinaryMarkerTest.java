package io.syncline.gateway.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BinaryMarkerTest {

    @Test
    void uuid_becomesItsSixteenBytes() {
        assertThat(marked("{\"id\":1,\"v\":\"61626364-6566-6768-696a-6b6c6d6e6f70\"}", "v"))
                .isEqualTo("{\"id\":1,\"v\":{\"__phoenix_kit_binary__\":\"YWJjZGVmZ2hpamtsbW5vcA==\"}}");
    }

    @Test
    void bytea_becomesItsBytes() {
        assertThat(marked("{\"v\":\"\\\\xdeadbeef00ff\",\"w\":\"\\\\x\"}", "v", "w")).isEqualTo(
                "{\"v\":{\"__phoenix_kit_binary__\":\"3q2+7wD/\"},\"w\":{\"__phoenix_kit_binary__\":\"\"}}");
    }

    @Test
    void arrays_eachElement() {
        assertThat(marked("{\"v\":[\"61626364-6566-6768-696a-6b6c6d6e6f70\", null,[\"\\\\x01\"],[]],\"w\":1}", "v"))
                .isEqualTo("{\"v\":[{\"__phoenix_kit_binary__\":\"YWJjZGVmZ2hpamtsbW5vcA==\"}, null,"
                        + "[{\"__phoenix_kit_binary__\":\"AQ==\"}],[]],\"w\":1}");
    }

    @Test
    void otherColumns_andNullAndNestedOnes_stay() {
        String row = "{\"a\":\"61626364-6566-6768-696a-6b6c6d6e6f70\", \"v\" : null, \"j\":{\"v\":\"\\\\x00\"},"
                + "\"l\":[\"\\\\x00\",{\"v\":\"\\\\x00\"}],\"t\":\"}\\\",\\\\\",\"n\":-1.5e400,\"b\":true}";

        assertThat(marked(row, "v")).isEqualTo(row);
    }

    @Test
    void oddNames_areReadAsJsonWritesThem() {
        assertThat(marked("{\"quote\\\"d\":\"\\\\x01\",\"\\u00fc\":\"\\\\x02\",\"ü\":\"\\\\x03\"}", "quote\"d", "ü"))
                .isEqualTo("{\"quote\\\"d\":{\"__phoenix_kit_binary__\":\"AQ==\"},"
                        + "\"\\u00fc\":{\"__phoenix_kit_binary__\":\"Ag==\"},\"ü\":{\"__phoenix_kit_binary__\":\"Aw==\"}}");
    }

    @Test
    void emptyRow_stays() {
        assertThat(marked("{}", "v")).isEqualTo("{}");
        assertThat(marked(" { } ", "v")).isEqualTo(" { } ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{\"v\"", "{\"v\":", "{\"v\":\"x", "{\"v\" 1}", "{v:1}", "{\"v\":[1"})
    void whatIsNoRow_isAnError(String json) {
        assertThatThrownBy(() -> marked(json, "v")).isInstanceOf(RuntimeException.class);
    }

    private static String marked(String row, String... columns) {
        byte[] padded = ("##" + row + "#").getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            new BinaryMarker(Set.of(columns)).rewrite(padded, 2, padded.length - 1,
                    (bytes, from, to) -> out.write(bytes, from, to - from));
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
        return out.toString(StandardCharsets.UTF_8);
    }
}
