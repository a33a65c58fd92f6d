package io.syncline.worker.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.ReplicaLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReplicaSqlTest {

    @Test
    void create_keyInItsNativeTypesAndCollations() throws Exception {
        ReplicaSql sql = new ReplicaSql("with-2ddash.7",
                List.of(new KeyColumn("a", "character varying(20)", "C"), new KeyColumn("b", "bigint", null)));

        assertThat(sql.create(Set.of("C")))
                .isEqualTo("CREATE TABLE syncline_replica.\"with-2ddash.7\" (k1 character varying(20)"
                        + " COLLATE \"C\" NOT NULL, k2 bigint NOT NULL, wire text, row_hash bigint,"
                        + " removed_key text, changed bigint NOT NULL, commit_lsn bigint NOT NULL, lsn bigint NOT NULL,"
                        + " number bigint NOT NULL, removed_at timestamptz, PRIMARY KEY (k1, k2)) WITH (fillfactor = 90)");
    }

    @Test
    void create_collationIsQuoted() throws Exception {
        ReplicaSql sql = new ReplicaSql("t.1", List.of(new KeyColumn("a", "text", "x\" NOT NULL); --")));

        assertThat(sql.create(Set.of("x\" NOT NULL); --"))).contains("COLLATE \"x\"\" NOT NULL); --\" NOT NULL, ");
    }

    @Test
    void write_keysThatMayBeEqualInOtherTexts_areFoundByPostgres() throws Exception {
        assertThat(sql("numeric").write()).contains("DISTINCT ON (r.k1)")
                .contains("ORDER BY r.k1, r.commit_lsn DESC, r.lsn DESC, r.number DESC");
        assertThat(sql("bigint").write()).doesNotContain("DISTINCT").contains("unnest(?::bigint[], ?::text[],");
        assertThat(sql("uuid", "text").write()).doesNotContain("DISTINCT")
                .contains("unnest(?::text[], ?::text[], ?::text[],");
    }

    @Test
    void create_aCollationThatIsNotHere_isLeftToTheDefault() throws Exception {
        assertThat(new ReplicaSql("t.1", List.of(new KeyColumn("a", "text", "fr-x-icu"))).create(Set.of()))
                .contains("(k1 text NOT NULL, ");
    }

    @Test
    void create_anEnumIsATypeNamedByItsLabels() throws Exception {
        KeyColumn mood = new KeyColumn("m", "mood", null, List.of("sad", "it's \\ok"));
        ReplicaSql sql = new ReplicaSql("t.1", List.of(mood));

        assertThat(sql.create(Set.of())).matches(".*\\(k1 syncline_replica\\.\"enum\\.[0-9a-f]{32}\" NOT NULL, .*");
        assertThat(ReplicaSql.createEnum(mood.labels())).endsWith(" AS ENUM (E'sad', E'it''s \\\\ok')");
        assertThat(sql.kinds()).containsExactly(KeyKind.TEXT);
        assertThat(ReplicaLayout.enumName(List.of("a", "b"))).isNotEqualTo(ReplicaLayout.enumName(List.of("b", "a")))
                .isNotEqualTo(ReplicaLayout.enumName(List.of("ab")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            smallint | INTEGER
            integer | INTEGER
            bigint | INTEGER
            uuid | TEXT
            text | TEXT
            character varying | TEXT
            character varying(20) | TEXT
            character(5) | AMBIGUOUS
            numeric(12,2) | AMBIGUOUS
            numeric(3,-2) | AMBIGUOUS
            timestamp with time zone | AMBIGUOUS
            timestamp(3) without time zone | AMBIGUOUS
            interval year to month | AMBIGUOUS
            interval day to second(3) | AMBIGUOUS
            double precision | AMBIGUOUS
            bit varying(8) | AMBIGUOUS
            integer[] | ARRAY
            "char" | AMBIGUOUS
            citext | AMBIGUOUS
            """)
    void keyKind_ofBuiltInTypes(String type, KeyKind kind) throws Exception {
        assertThat(KeyKind.of(new KeyColumn("k", type, null))).isEqualTo(kind);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\"Mood\"", "other.mood", "integer); DROP TABLE x; --", "integer, y integer",
        "integer DEFAULT now()", "text COLLATE \"C\"", "integer\n", "int--", "int/**/"})
    void keyKind_whatIsNoBuiltInType_isAFault(String type) {
        assertThatThrownBy(() -> KeyKind.of(new KeyColumn("k", type, null))).isInstanceOf(TableFault.class)
                .hasMessageContaining("which only the source knows");
    }

    @Test
    void tableWithoutKey_isAFault() {
        assertThatThrownBy(() -> new ReplicaSql("t.1", List.of())).isInstanceOf(TableFault.class)
                .hasMessageContaining("has no key");
    }

    private static ReplicaSql sql(String... types) throws TableFault {
        return new ReplicaSql("t.1", Arrays.stream(types).map(type -> new KeyColumn("c", type, null)).toList());
    }
}
