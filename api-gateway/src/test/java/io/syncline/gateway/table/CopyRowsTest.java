package io.syncline.gateway.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CopyRowsTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 19, 20, 25, 1000})
    void rows_howeverTheMessagesAreCut(int size) throws Exception {
        byte[] stream = stream("{\"a\":1}", "", "{\"ä\":\"😀\"}");
        List<String> rows = new ArrayList<>();
        CopyRows copy = new CopyRows((bytes, from, to) -> rows.add(new String(bytes, from, to - from,
                StandardCharsets.UTF_8)));
        for (int at = 0; at < stream.length; at += size) {
            assertThat(copy.ended()).isFalse();
            copy.take(Arrays.copyOfRange(stream, at, Math.min(at + size, stream.length)));
        }

        assertThat(rows).containsExactly("{\"a\":1}", "", "{\"ä\":\"😀\"}");
        assertThat(copy.ended()).isTrue();
    }

    @Test
    void noEndMark_isNotTheEnd() throws Exception {
        byte[] stream = stream("{}");
        CopyRows copy = new CopyRows((bytes, from, to) -> {});
        copy.take(Arrays.copyOf(stream, stream.length - 2));

        assertThat(copy.ended()).isFalse();
    }

    @Test
    void textFormat_isRefused() {
        assertThatThrownBy(() -> new CopyRows((bytes, from, to) -> {})
                .take("{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n".getBytes(StandardCharsets.UTF_8)))
                .hasMessageContaining("another format");
    }

    private static byte[] stream(String... rows) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write("PGCOPY\n\377\r\n\0".getBytes(StandardCharsets.ISO_8859_1));
        out.writeInt(0);
        out.writeInt(0);
        for (String row : rows) {
            byte[] utf8 = row.getBytes(StandardCharsets.UTF_8);
            out.writeShort(1);
            out.writeInt(utf8.length);
            out.write(utf8);
        }
        out.writeShort(-1);
        return bytes.toByteArray();
    }
}
