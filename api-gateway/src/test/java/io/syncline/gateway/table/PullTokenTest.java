package io.syncline.gateway.table;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.gateway.table.PullToken.AsOf;
import io.syncline.gateway.table.PullToken.Cursor;
import io.syncline.model.table.TableName;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class PullTokenTest {

    private static final TableName TABLE = new TableName("Mixed Case");
    private static final TableName OTHER = new TableName("other");
    private static final AsOf AS_OF = new AsOf(3, 1_764_000_000_000_000L);
    private static final Cursor CURSOR = new Cursor(AS_OF, new AsOf(2, 17), List.of("1", "ünï'\\", ""));

    @Test
    void readBackTheSame() {
        assertThat(AsOf.read(AS_OF.text(TABLE), TABLE)).contains(AS_OF);
        assertThat(Cursor.read(CURSOR.text(TABLE), TABLE)).contains(CURSOR);
        Cursor plain = new Cursor(AS_OF, null, List.of("5"));
        assertThat(Cursor.read(plain.text(TABLE), TABLE)).contains(plain);
    }

    @Test
    void ofAnotherTable_isNone() {
        assertThat(AsOf.read(AS_OF.text(TABLE), OTHER)).isEmpty();
        assertThat(Cursor.read(CURSOR.text(TABLE), OTHER)).isEmpty();
    }

    @Test
    void oneForTheOther_isNone() {
        assertThat(AsOf.read(CURSOR.text(TABLE), TABLE)).isEmpty();
        assertThat(Cursor.read(AS_OF.text(TABLE), TABLE)).isEmpty();
    }

    @Test
    void malformed_isNone() {
        String text = CURSOR.text(TABLE);
        for (String wrong : List.of("", "x", "%%%", "2025-01-01T00:00:00Z", text + "AAAA", text.substring(1),
                text.substring(0, text.length() - 4), text.toLowerCase(Locale.ROOT))) {
            assertThat(Cursor.read(wrong, TABLE)).as(wrong).isEmpty();
            assertThat(AsOf.read(wrong, TABLE)).as(wrong).isEmpty();
        }
    }
}
