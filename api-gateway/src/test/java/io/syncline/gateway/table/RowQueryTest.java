package io.syncline.gateway.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class RowQueryTest {

    private static final RowQuery ONE = new RowQuery("t.1", 1, List.of(), true, 0, 10);
    private static final RowQuery TWO = new RowQuery("with-2ddash.3", 2, List.of(), true, 0, Long.MAX_VALUE);

    @Test
    void all_inTheKeysOrder() {
        assertThat(TWO.rows()).isEqualTo(
                "COPY (SELECT wire FROM syncline_replica.\"with-2ddash.3\" WHERE wire IS NOT NULL"
                        + " ORDER BY k1, k2) TO STDOUT (FORMAT binary)");
    }

    @Test
    void range_andPage() {
        assertThat(ONE.startingAt(List.of("5")).endingAt(List.of("9")).from(3).atMost(100).rows()).contains(
                "WHERE wire IS NOT NULL AND k1 >= E'5' AND k1 <= E'9' ORDER BY k1 LIMIT 10 OFFSET 3)");
        assertThat(TWO.startingAt(List.of("5")).endingAt(List.of("9", "b")).rows())
                .contains("AND k1 >= E'5' AND (k1, k2) <= (E'9', E'b')");
        assertThat(TWO.after(List.of("9", "b")).inOrder()).isTrue();
    }

    @Test
    void ids() {
        assertThat(ONE.among(List.of(List.of("1"), List.of("2")), false).rows())
                .contains("WHERE wire IS NOT NULL AND k1 = ANY (E'{\"1\",\"2\"}') ORDER BY");
        assertThat(ONE.among(List.of(), false).rows()).contains("k1 = ANY (E'{}')");
        assertThat(ONE.among(List.of(List.of("{1,2}")), true).rows()).contains("AND (k1 = E'{1,2}') ORDER BY");
        assertThat(TWO.among(List.of(List.of("1", "a"), List.of("2", "b")), false).rows())
                .contains("AND ((k1, k2) = (E'1', E'a') OR (k1, k2) = (E'2', E'b')) ORDER BY");
        assertThat(TWO.among(List.of(), false).rows()).contains("AND false ORDER BY");
    }

    @Test
    void changes_rowsAndTombstones() {
        RowQuery changed = TWO.changedSince(17).after(List.of("1", "a"));

        assertThat(changed.inOrder()).isFalse();
        assertThat(changed.deletedKeys()).isEqualTo("COPY (SELECT removed_key FROM syncline_replica.\"with-2ddash.3\""
                + " WHERE removed_key IS NOT NULL AND changed > 17 AND (k1, k2) > (E'1', E'a') ORDER BY k1, k2)"
                + " TO STDOUT (FORMAT binary)");
        assertThat(changed.endOfPage(5, true)).isEqualTo("SELECT k1::text AS text0, k2::text AS text1 FROM"
                + " syncline_replica.\"with-2ddash.3\" WHERE changed > 17 AND (k1, k2) > (E'1', E'a') ORDER BY k1, k2"
                + " OFFSET 4 LIMIT 2");
        assertThat(ONE.endOfPage(1, false)).endsWith("WHERE wire IS NOT NULL ORDER BY k1 OFFSET 0 LIMIT 2");
    }

    @Test
    void values_cannotLeaveTheirQuotes() {
        assertThat(ONE.startingAt(List.of("'; DROP TABLE x; --")).rows()).contains("k1 >= E'''; DROP TABLE x; --'");
        assertThat(ONE.startingAt(List.of("\\'; --")).rows()).contains("k1 >= E'\\\\''; --'");
        assertThat(RowQuery.arrayOf(List.of("a\",\"b", "\\", "NULL", "{", ""))).isEqualTo(
                "{\"a\\\",\\\"b\",\"\\\\\",\"NULL\",\"{\",\"\"}");
    }
}
