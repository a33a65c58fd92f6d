package io.syncline.worker.capture.encode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.worker.capture.encode.RowEncoder.Column;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** 'Values in records' of the protocol, from the text that PostgreSQL's output functions give. */
class RowEncoderTest {

    private static final ValueType TEXT = new ValueType.Text();
    private static final ValueType WHOLE = new ValueType.Whole();
    private static final ValueType FLOATING = new ValueType.Floating();
    private static final ValueType BOOL = new ValueType.Bool();
    private static final ValueType JSON = new ValueType.Json();
    private static final ValueType HSTORE = new ValueType.Hstore();
    private static final ValueType TIMESTAMP = new ValueType.Timestamp(6, false);
    private static final ValueType TIMESTAMPTZ = new ValueType.Timestamp(6, true);

    @Test
    void aRowOfNoColumns_isAnEmptyObject() {
        TextRow row = new TextRow(0);
        row.readCopyLine("\n".getBytes(StandardCharsets.UTF_8));
        assertThat(new String(new RowEncoder(List.of(), new int[0]).row(row, new JsonBytes()), StandardCharsets.UTF_8))
                .isEqualTo("{}");
    }

    @ParameterizedTest
    @CsvSource({"42", "-9223372036854775808", "9223372036854775807", "0"})
    void wholeNumbersAreNumbers(String text) {
        assertThat(json(WHOLE, text)).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({"''", "-", "1.5", "abc", "1x"})
    void whatIsNoWholeNumberIsNotSentAsOne(String text) {
        assertThatThrownBy(() -> json(WHOLE, text)).isInstanceOf(UnencodableValueException.class)
                .hasMessage("column \"v\": '" + text + "' is no integer");
    }

    @ParameterizedTest
    @CsvSource({"1.5", "5e-324", "1e+21", "-0", "100", "-3.4e+38"})
    void floatingNumbersAreNumbers(String text) {
        assertThat(json(FLOATING, text)).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({"NaN", "Infinity", "-Infinity"})
    void numbersThatJsonLacksAreText(String text) {
        assertThat(json(FLOATING, text)).isEqualTo('"' + text + '"');
    }

    @Test
    void aRowThatIsTooLong_isRefused() {
        RowEncoder encoder = new RowEncoder(List.of(new Column("v", TEXT)), new int[]{0});
        TextRow row = new TextRow(1);
        row.set(0, "\"".repeat(496));
        assertThat(encoder.row(row, new JsonBytes(1000))).hasSize(1000);
        assertThatThrownBy(() -> encoder.row(row, new JsonBytes(999))).isInstanceOf(RowTooLargeException.class)
                .hasMessage("a row is larger than syncline.capture.max-row-bytes (999 bytes as JSON)");
    }

    @Test
    void numericIsTextAsPostgresWritesIt() {
        assertThat(json(TEXT, "12.50")).isEqualTo("\"12.50\"");
        assertThat(json(TEXT, "-0.000000000000000000001")).isEqualTo("\"-0.000000000000000000001\"");
    }

    @Test
    void booleansAreJsonsOwn() {
        assertThat(json(BOOL, "t")).isEqualTo("true");
        assertThat(json(BOOL, "f")).isEqualTo("false");
        assertThatThrownBy(() -> json(BOOL, "x")).isInstanceOf(UnencodableValueException.class);
    }

    @Test
    void textIsEscapedWhereJsonAsksForIt() {
        assertThat(json(TEXT, "q \" b \\ t\t n\n r\r b\b f\f c\u0001 d\u007f")).isEqualTo(
                "\"q \\\" b \\\\ t\\t n\\n r\\r b\\b f\\f c\\u0001 d\u007f\"");
        assertThat(json(TEXT, "Zürich 日本語 😀 \u2028")).isEqualTo("\"Zürich 日本語 😀 \u2028\"");
        assertThat(json(TEXT, "")).isEqualTo("\"\"");
    }

    @Test
    void fractionsHaveAsManyDigitsAsTheColumn() {
        assertThat(json(new ValueType.Time(6), "12:00:00.5")).isEqualTo("\"12:00:00.500000\"");
        assertThat(json(new ValueType.Time(6), "00:00:00")).isEqualTo("\"00:00:00.000000\"");
        assertThat(json(new ValueType.Time(0), "18:56:59")).isEqualTo("\"18:56:59\"");
        assertThat(json(TIMESTAMP, "2025-12-15 18:56:59.387453")).isEqualTo("\"2025-12-15T18:56:59.387453\"");
        assertThat(json(TIMESTAMP, "1969-12-31 23:59:59.5")).isEqualTo("\"1969-12-31T23:59:59.500000\"");
        assertThat(json(new ValueType.Timestamp(3, true), "2025-12-15 16:56:59.4+00"))
                .isEqualTo("\"2025-12-15T16:56:59.400Z\"");
        assertThat(json(new ValueType.Timestamp(0, true), "2025-12-15 16:56:59+00"))
                .isEqualTo("\"2025-12-15T16:56:59Z\"");
        assertThat(json(TIMESTAMP, "20000-01-01 00:00:00")).isEqualTo("\"20000-01-01T00:00:00.000000\"");
    }

    @Test
    void timesThatIsoLacksAreTheirTextForm() {
        assertThat(json(new ValueType.Time(6), "24:00:00")).isEqualTo("\"24:00:00\"");
        assertThat(json(TIMESTAMP, "infinity")).isEqualTo("\"infinity\"");
        assertThat(json(TIMESTAMPTZ, "-infinity")).isEqualTo("\"-infinity\"");
        assertThat(json(TIMESTAMP, "0044-03-15 12:00:00 BC")).isEqualTo("\"0044-03-15 12:00:00 BC\"");
        assertThat(json(TIMESTAMPTZ, "0044-03-15 12:00:00+00 BC")).isEqualTo("\"0044-03-15 12:00:00+00 BC\"");
    }

    @Test
    void aTimestampOfAnotherZoneIsRefused() {
        assertThatThrownBy(() -> json(TIMESTAMPTZ, "2025-12-15 18:56:59+02"))
                .isInstanceOf(UnencodableValueException.class)
                .hasMessageContaining("is no timestamp in UTC");
    }

    @Test
    void jsonIsItself_onOneLine() {
        assertThat(json(JSON, "{\"b\":12345678901234567890, \"a\":1e400}"))
                .isEqualTo("{\"b\":12345678901234567890, \"a\":1e400}");
        assertThat(json(JSON, "{\n \"a\":\r\n1}")).isEqualTo("{  \"a\":  1}");
    }

    @Test
    void arraysAreNestedAsTheyAre() {
        assertThat(json(array(WHOLE), "{1,2,NULL,3}")).isEqualTo("[1,2,null,3]");
        assertThat(json(array(WHOLE), "{}")).isEqualTo("[]");
        assertThat(json(array(WHOLE), "{{1,2},{3,4}}")).isEqualTo("[[1,2],[3,4]]");
        assertThat(json(array(WHOLE), "[0:1]={5,6}")).isEqualTo("[5,6]");
        assertThat(json(array(TEXT), "{a,\"b c\",NULL,\"NULL\",\"quote\\\"x\",\"back\\\\slash\",\"\"}"))
                .isEqualTo("[\"a\",\"b c\",null,\"NULL\",\"quote\\\"x\",\"back\\\\slash\",\"\"]");
        assertThat(json(array(JSON), "{\"{\\\"a\\\": 1}\",2}")).isEqualTo("[{\"a\": 1},2]");
        assertThat(json(array(TIMESTAMPTZ), "{\"2025-12-15 16:56:59.387453+00\"}"))
                .isEqualTo("[\"2025-12-15T16:56:59.387453Z\"]");
        assertThat(json(new ValueType.Array(TEXT, ';'), "{(2,2),(0,0);(1,1),(0,0)}"))
                .isEqualTo("[\"(2,2),(0,0)\",\"(1,1),(0,0)\"]");
        assertThatThrownBy(() -> json(array(WHOLE), "1,2")).isInstanceOf(UnencodableValueException.class);
    }

    @Test
    void inetNamesItsNetmask() {
        assertThat(json(new ValueType.Inet(), "192.168.1.1")).isEqualTo("\"192.168.1.1/32\"");
        assertThat(json(new ValueType.Inet(), "192.168.1.1/24")).isEqualTo("\"192.168.1.1/24\"");
        assertThat(json(array(new ValueType.Inet()), "{::1,10.0.0.1}")).isEqualTo("[\"::1/128\",\"10.0.0.1/32\"]");
    }

    @Test
    void hstoreIsAnObject() {
        assertThat(json(HSTORE, "\"a\"=>\"1\", \"b\"=>NULL, \"c d\"=>\"x \\\"y\\\\\"")).isEqualTo(
                "{\"a\":\"1\",\"b\":null,\"c d\":\"x \\\"y\\\\\"}");
        assertThat(json(HSTORE, "")).isEqualTo("{}");
        assertThat(json(array(HSTORE), "{\"\\\"a\\\"=>\\\"1\\\"\"}")).isEqualTo("[{\"a\":\"1\"}]");
    }

    @Test
    void aRowIsAnObject_itsKeyAnArrayInTheKeysOrder() {
        RowEncoder encoder = new RowEncoder(
                List.of(new Column("a", WHOLE), new Column("quote\"d", TEXT), new Column("ünï", TEXT)),
                new int[]{1, 0});
        TextRow row = new TextRow(3);
        row.set(0, "7");
        row.set(1, "x");
        row.setNull(2);
        assertThat(text(encoder.row(row, new JsonBytes()))).isEqualTo("{\"a\":7,\"quote\\\"d\":\"x\",\"ünï\":null}");
        assertThat(text(encoder.key(row, new JsonBytes()))).isEqualTo("[\"x\",7]");
    }

    /** Else who is given the key of a deleted row would not find the row. */
    @Test
    void anArrayThatDoesNotBeginAtOne_isTheSameInTheRowAndInItsKey() {
        RowEncoder encoder = new RowEncoder(
                List.of(new Column("k", array(WHOLE)), new Column("v", array(WHOLE))), new int[]{0});
        TextRow row = new TextRow(2);
        row.set(0, "[0:1]={5,6}");
        row.set(1, "[0:1]={5,6}");
        assertThat(text(encoder.row(row, new JsonBytes()))).isEqualTo("{\"k\":\"[0:1]={5,6}\",\"v\":[5,6]}");
        assertThat(text(encoder.key(row, new JsonBytes()))).isEqualTo("[\"[0:1]={5,6}\"]");
        row.set(0, "{5,6}");
        assertThat(text(encoder.row(row, new JsonBytes()))).isEqualTo("{\"k\":[5,6],\"v\":[5,6]}");
        assertThat(text(encoder.key(row, new JsonBytes()))).isEqualTo("[[5,6]]");
    }

    @Test
    void aRowThatLacksAValueIsNotSent() {
        RowEncoder encoder = new RowEncoder(List.of(new Column("a", WHOLE), new Column("b", TEXT)), new int[]{0});
        TextRow row = new TextRow(2);
        row.set(0, "7");
        assertThatThrownBy(() -> encoder.row(row, new JsonBytes()))
                .hasMessage("column \"b\": the row came without its value");
    }

    @Test
    void copyLinesAreReadWithAndWithoutEscapes() {
        RowEncoder encoder = new RowEncoder(
                List.of(new Column("a", WHOLE), new Column("b", TEXT), new Column("c", TEXT)), new int[]{0});
        TextRow row = new TextRow(3);
        JsonBytes buffer = new JsonBytes();
        row.readCopyLine(bytes("1\tplain\t\n"));
        assertThat(text(encoder.row(row, buffer))).isEqualTo("{\"a\":1,\"b\":\"plain\",\"c\":\"\"}");
        row.readCopyLine(bytes("2\t\\N\ta\\tb\\nc\\\\d\\r\\b\\f\\v\n"));
        assertThat(text(encoder.row(row, buffer)))
                .isEqualTo("{\"a\":2,\"b\":null,\"c\":\"a\\tb\\nc\\\\d\\r\\b\\f\\u000b\"}");
        row.readCopyLine(bytes("3\tx\t\\N"));
        assertThat(text(encoder.row(row, buffer))).isEqualTo("{\"a\":3,\"b\":\"x\",\"c\":null}");
        assertThatThrownBy(() -> row.readCopyLine(bytes("1\t2\n"))).hasMessageContaining("2 of its 3 columns");
        assertThatThrownBy(() -> row.readCopyLine(bytes("1\t2\t3\t4\n")))
                .hasMessageContaining("more than its 3 columns");
    }

    private static ValueType array(ValueType element) {
        return new ValueType.Array(element, ',');
    }

    private static String json(ValueType type, String text) {
        TextRow row = new TextRow(1);
        row.set(0, text);
        String json = text(new RowEncoder(List.of(new Column("v", type)), new int[0]).row(row, new JsonBytes()));
        return json.substring("{\"v\":".length(), json.length() - 1);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }
}
