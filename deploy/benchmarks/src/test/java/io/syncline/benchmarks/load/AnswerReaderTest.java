package io.syncline.benchmarks.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class AnswerReaderTest {

    private static final String ANSWER = """
            HTTP/1.1 404 \r
            Content-Type: application/json\r
            content-Length: 17\r
            \r
            {"success":false}""";

    private final AnswerReader reader = new AnswerReader();

    @Test
    void take_whole() throws IOException {
        assertThat(reader.take(bytes(ANSWER))).isTrue();
        assertThat(reader.status()).isEqualTo(404);
    }

    @Test
    void take_byteByByte_isWholeWithTheLastOne() throws IOException {
        for (int i = 0; i < ANSWER.length() - 1; i++) {
            assertThat(reader.take(bytes(ANSWER.substring(i, i + 1)))).isFalse();
        }
        assertThat(reader.take(bytes(ANSWER.substring(ANSWER.length() - 1)))).isTrue();
    }

    @Test
    void take_afterReset_nextAnswer() throws IOException {
        reader.take(bytes(ANSWER));
        reader.reset();
        assertThat(reader.take(bytes("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"))).isTrue();
        assertThat(reader.status()).isEqualTo(200);
    }

    @Test
    void last_whenTheServerSaysThatItCloses() throws IOException {
        reader.take(bytes(ANSWER));
        assertThat(reader.last()).isFalse();
        reader.reset();
        reader.take(bytes("HTTP/1.1 200 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        assertThat(reader.last()).isTrue();
    }

    @Test
    void take_withoutLength_saysSo() {
        assertThatThrownBy(() -> reader.take(bytes("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("without a length");
    }

    @Test
    void take_moreThanOneAnswer_saysSo() {
        assertThatThrownBy(() -> reader.take(bytes(ANSWER + "x"))).isInstanceOf(IOException.class);
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }
}
