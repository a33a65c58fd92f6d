package io.syncline.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonBodyTest {

    private static JsonBody.Read read(byte[] bytes) {
        return JsonBody.read(new ByteArrayInputStream(bytes), -1, true);
    }

    private static JsonBody.Read read(String body) {
        return read(body.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void read_emptyBodyIsAnEmptyObject_whateverItsType() {
        assertThat(read("")).isEqualTo(new JsonBody.Read.Body(JsonBody.empty()));
        assertThat(JsonBody.read(InputStream.nullInputStream(), 0, false))
                .isEqualTo(new JsonBody.Read.Body(JsonBody.empty()));
    }

    @Test
    void read_aBodyWithoutContentTypeIsRefused() {
        assertThat(JsonBody.read(new ByteArrayInputStream("{}".getBytes(StandardCharsets.UTF_8)), 2, false))
                .isEqualTo(new JsonBody.Read.Bad(PeerRefusal.Known.UNSUPPORTED_MEDIA_TYPE));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"sender_url\": ", "{} {}", "{a:1}", "{'a':1}", "{\"a\":NaN}", " ", "nul", "{\"a\":01}",
        "{\"a\":\"\n\"}"})
    void read_malformed(String body) {
        assertThat(read(body)).isEqualTo(new JsonBody.Read.Bad(PeerRefusal.Known.MALFORMED_JSON));
    }

    @Test
    void read_nestedTooDeep() {
        for (int depth : new int[]{JsonBody.MAX_DEPTH, 100_000}) {
            assertThat(read("{\"a\":" + "[".repeat(depth) + "]".repeat(depth) + "}"))
                    .isEqualTo(new JsonBody.Read.Bad(PeerRefusal.Known.JSON_TOO_DEEP));
        }
        assertThat(read("{\"a\":" + "[".repeat(JsonBody.MAX_DEPTH - 1) + "]".repeat(JsonBody.MAX_DEPTH - 1) + "}"))
                .isInstanceOf(JsonBody.Read.Body.class);
    }

    @Test
    void read_aFieldTwice() {
        assertThat(read("{\"a\":1,\"a\":1}")).isEqualTo(new JsonBody.Read.Bad(PeerRefusal.Known.FIELD_TWICE));
    }

    @Test
    void read_onlyUtf8() {
        assertThat(read("{\"a\":\"é\"}".getBytes(StandardCharsets.ISO_8859_1)))
                .isEqualTo(new JsonBody.Read.Bad(PeerRefusal.Known.MALFORMED_JSON));
        assertThat(read("{\"a\":1}".getBytes(StandardCharsets.UTF_16BE)))
                .isEqualTo(new JsonBody.Read.Bad(PeerRefusal.Known.MALFORMED_JSON));
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"abc\"", "[]", "null", "5", "true"})
    void read_topLevelThatIsNoObject(String body) {
        assertThat(read(body)).isEqualTo(new JsonBody.Read.Bad(PeerRefusal.Known.NO_OBJECT));
    }

    @Test
    void read_boundedWhetherAnnouncedOrNot() {
        byte[] large = new byte[JsonBody.MAX_BYTES + 1];
        assertThat(read(large)).isEqualTo(new JsonBody.Read.Bad(PeerRefusal.Known.BODY_TOO_LARGE));
        assertThat(JsonBody.read(InputStream.nullInputStream(), JsonBody.MAX_BYTES + 1L, true))
                .isEqualTo(new JsonBody.Read.Bad(PeerRefusal.Known.BODY_TOO_LARGE));
    }

    @Test
    void read_callerGoneAway() {
        InputStream broken = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("reset");
            }
        };
        assertThat(JsonBody.read(broken, 10, true))
                .isEqualTo(new JsonBody.Read.Bad(PeerRefusal.Known.BODY_INCOMPLETE));
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/json", "Application/JSON", "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"", "application/json; version=1"})
    void isJson_admits(String contentType) {
        assertThat(JsonBody.isJson(contentType, "application/json")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "json", "text/plain", "application/xml", "application/jsonp", "text/json",
        "application/json; charset=latin1", "application/json; charset=nonsense",
        "application/x-www-form-urlencoded", "multipart/form-data; boundary=B", "*/*"})
    void isJson_refuses(String contentType) {
        assertThat(JsonBody.isJson(contentType, "application/json")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "*/*", "application/json", "Application/Json", "application/*", "text/html, */*;q=0.1",
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "application/json;q=1.0;v=1"})
    void admitsJson(String accept) {
        assertThat(JsonBody.admitsJson(accept)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/html", "application/xml", "application/json;q=0", "*/*;q=0",
        "application/json;q=0, */*", "text/*", "application/json;q=x"})
    void admitsJson_not(String accept) {
        assertThat(JsonBody.admitsJson(accept)).isFalse();
    }
}
