package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.worker.capture.KeyTypes.Databases;
import io.syncline.worker.capture.SourceTypes.Type;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which types may be in a key, and why others may not. */
class KeyTypesTest {

    private static final Databases NEW = new Databases(18_00_00, 18_00_00, null);

    private static final SourceTypes TYPES = new SourceTypes(Map.ofEntries(
            builtIn(23, "int4"), builtIn(25, "text"), builtIn(701, "float8"), builtIn(1043, "varchar"),
            builtIn(1700, "numeric"), builtIn(1186, "interval"), builtIn(3802, "jsonb"), builtIn(114, "json"),
            builtIn(790, "money"), builtIn(18, "char"), builtIn(3615, "tsquery"), builtIn(600, "point"),
            builtIn(30, "oidvector"), builtIn(24, "regproc"), builtIn(9999, "not_known_yet"),
            array(1007, "_int4", 23), array(1231, "_numeric", 1700), array(3807, "_jsonb", 3802),
            array(791, "_money", 790),
            array(1187, "_interval", 1186), own(20001, "mood", "e", 0, null), array(20002, "_mood", 20001),
            own(20003, "cents", "d", 1700, null), own(20004, "cents_too", "d", 20003, null),
            array(20005, "_cents", 20003), own(20006, "list", "d", 1007, null),
            own(20007, "list_too", "d", 20006, null),
            own(20008, "pair", "c", 0, null), own(20009, "span", "r", 0, null), own(20010, "text", "b", 0, null),
            own(20011, "citext", "b", 0, "citext"), array(20012, "_citext", 20011),
            own(20013, "citext", "e", 0, null), own(20014, "citext", "b", 0, null),
            own(20015, "email", "d", 20011, null), own(20016, "isbn", "b", 0, "isn"),
            own(20017, "int4", "e", 0, null)));

    private static Map.Entry<Long, Type> builtIn(long oid, String name) {
        return Map.entry(oid, new Type(oid, name, "b", 0, -1, 0, false, ',', true, null));
    }

    private static Map.Entry<Long, Type> array(long oid, String name, long element) {
        return Map.entry(oid, new Type(oid, name, "b", 0, -1, element, true, ',', oid < 16_384, null));
    }

    private static Map.Entry<Long, Type> own(long oid, String name, String kind, long base,
            @Nullable String extension) {
        return Map.entry(oid, new Type(oid, name, kind, base, -1, 0, false, ',', false, extension));
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            23, integer
            25, text
            701, double precision
            1043, character varying
            1700, numeric
            1186, interval
            3802, jsonb
            30, oidvector
            1007, an array
            1231, an array of an ambiguous type
            20001, an enum
            20017, an enum that is called int4
            20013, an enum that is called citext
            20004, a domain over a domain
            20007, a domain over a domain over an array
            20011, citext in whatever schema
            20015, a domain over citext
            """)
    void fit(long oid, String what) {
        assertThat(new KeyTypes(TYPES, NEW).unfit(oid, -1)).as(what).isNull();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            790 | depends on the locale
            791 | depends on the locale
            18 | beyond ASCII
            3615 | may have one text
            3807 | SQL's are one
            114 | only the source has it
            600 | only the source has it
            24 | only the source has it
            9999 | this version does not know it
            20002 | only the source has it
            20005 | only the source has it
            20008 | only the source has it
            20009 | only the source has it
            20010 | only the source has it
            20012 | only the source has it
            20014 | only the source has it
            20016 | only the source has it
            77777 | only the source has it
            """)
    void unfit(long oid, String why) {
        assertThat(new KeyTypes(TYPES, NEW).unfit(oid, -1)).contains(why);
    }

    @Test
    void whatTheStateDatabaseDoesNotKnow() {
        KeyTypes older = new KeyTypes(TYPES, new Databases(18_00_00, 14_00_00, "no citext there"));
        assertThat(older.unfit(1186, -1)).contains("PostgreSQL 14", "infinite intervals");
        assertThat(older.unfit(1187, -1)).contains("infinite intervals");
        assertThat(older.unfit(1700, -1)).isNull();
        assertThat(older.unfit(1700, numeric(12, 2))).isNull();
        assertThat(older.unfit(1700, numeric(3, -2))).contains("scale");
        assertThat(older.unfit(1700, numeric(3, 5))).contains("scale");
        assertThat(older.unfit(20011, -1)).isEqualTo("no citext there");
        KeyTypes bothOlder = new KeyTypes(TYPES, new Databases(16_00_00, 14_00_00, null));
        assertThat(bothOlder.unfit(1186, -1)).isNull();
        assertThat(bothOlder.unfit(1700, numeric(3, -2))).contains("scale");
        assertThat(new KeyTypes(TYPES, NEW).unfit(1700, numeric(3, -2))).isNull();
    }

    /** As numeric's input function makes it. */
    private static int numeric(int precision, int scale) {
        return (precision << 16 | scale & 0x7ff) + 4;
    }
}
