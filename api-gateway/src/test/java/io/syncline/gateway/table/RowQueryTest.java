package io.syncline.gateway.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RowQueryTest {

    @Test
    void all_inTheKeysOrder() {
        assertThat(new RowQuery("with-2ddash.3", 2, null, null, null, 0, 10_000).copy()).isEqualTo(
                "COPY (SELECT wire FROM syncline_replica.\"with-2ddash.3\" WHERE wire IS NOT NULL"
                        + " ORDER BY k1, k2 LIMIT 10000) TO STDOUT (FORMAT binary)");
    }

    @Test
    void range_andPage() {
        assertThat(query(null, "5", "9", 3).copy()).contains("WHERE wire IS NOT NULL AND k1 >= E'5' AND k1 <= E'9'"
                + " ORDER BY k1 LIMIT 10 OFFSET 3)");
    }

    @Test
    void ids_winOverTheRange() {
        assertThat(query(List.of("1", "2"), "5", "9", 0).copy())
                .contains("WHERE wire IS NOT NULL AND k1 = ANY (E'{\"1\",\"2\"}') ORDER BY");
    }

    @Test
    void noIds_areNone() {
        assertThat(query(List.of(), null, null, 0).copy()).contains("k1 = ANY (E'{}')");
    }

    @Test
    void values_cannotLeaveTheirQuotes() {
        assertThat(RowQuery.literal("'; DROP TABLE x; --")).isEqualTo("E'''; DROP TABLE x; --'");
        assertThat(RowQuery.literal("\\'; --")).isEqualTo("E'\\\\''; --'");
        assertThat(RowQuery.arrayOf(List.of("a\",\"b", "\\", "NULL", "{", ""))).isEqualTo(
                "{\"a\\\",\\\"b\",\"\\\\\",\"NULL\",\"{\",\"\"}");
    }

    private static RowQuery query(@Nullable List<String> ids, @Nullable String start, @Nullable String end,
            long offset) {
        return new RowQuery("t.1", 1, ids, start, end, offset, 10);
    }
}
