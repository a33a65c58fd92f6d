package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.worker.capture.encode.JsonBytes;
import io.syncline.worker.capture.encode.RowEncoder;
import io.syncline.worker.capture.encode.RowTooLargeException;
import io.syncline.worker.capture.encode.TextRow;
import io.syncline.worker.capture.encode.ValueType;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class RowBoundTest {

    /** Nothing is longer in PostgreSQL's texts than it is in JSON but for escapes, and here each is escaped twice. */
    @Test
    void aRowThatFits_isNotRefusedForItsTexts() {
        String json = "\"" + "\\\\".repeat(1000) + "\"";
        String array = "{\"" + json.replace("\\", "\\\\").replace("\"", "\\\"") + "\"}";
        String copied = array.replace("\\", "\\\\");
        TextRow row = new TextRow(1);
        row.readCopyLine(copied.getBytes(StandardCharsets.UTF_8));
        int length = new RowEncoder(
                List.of(new RowEncoder.Column("v", new ValueType.Array(new ValueType.Json(), ','))), new int[0])
                .row(row, new JsonBytes()).length;
        RowBound bound = new RowBound(length);
        assertThatCode(() -> bound.verifyCopied(copied.length())).doesNotThrowAnyException();
        assertThatCode(() -> bound.verifyStreamed(array.length())).doesNotThrowAnyException();
        assertThatThrownBy(() -> bound.verifyCopied(4 * length + 1)).isInstanceOf(RowTooLargeException.class);
        assertThatThrownBy(() -> bound.verifyStreamed(2L * length + 1)).isInstanceOf(RowTooLargeException.class);
    }
}
