package io.syncline.worker.capture;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Under which name the source's database has its own collation, which {@code pg_collation} only calls {@code default}: text that is
 * ordered by it has to be ordered by the same one where the replica is.
 */
final class DatabaseCollation {

    /** Which columns say what a locale is, is another thing in each version. */
    private static final String LOCALES = """
            WITH own AS (SELECT d.*, to_jsonb(d) AS db FROM pg_database d WHERE d.datname = current_database())
            SELECT NULL AS name, coalesce(db ->> 'datlocprovider', 'c') AS provider, datcollate AS collate, datctype AS ctype,
                   coalesce(db ->> 'datlocale', db ->> 'daticulocale') AS locale, db ->> 'daticurules' AS rules, 0 AS place
            FROM own
            UNION ALL
            SELECT n.collname, n.collprovider::text, n.collcollate, n.collctype,
                   coalesce(col ->> 'colllocale', col ->> 'colliculocale'), col ->> 'collicurules',
                   CASE n.collnamespace WHEN 'pg_catalog'::regnamespace THEN 1 ELSE 2 END
            FROM own, pg_collation n, to_jsonb(n) AS col
            WHERE n.collprovider <> 'd' AND n.collisdeterministic AND pg_collation_is_visible(n.oid)
                  AND n.collencoding IN (-1, own.encoding)
            ORDER BY place, name""";

    /** They order text by its code points, as all of PostgreSQL's own locales do; and C, which does too, any PostgreSQL has. */
    private static final Pattern CODE_POINTS = Pattern.compile("(C|POSIX)(\\..*)?");

    private DatabaseCollation() {}

    /**
     * @param provider c: the operating system's C library; i: ICU; b: PostgreSQL itself
     * @param collate  the C library's locale by which text is ordered
     * @param ctype    and by which characters are classified
     * @param locale   of the other providers
     * @param rules    that ICU's order is tailored by
     */
    record LocaleOf(
            String provider,
            @Nullable String collate,
            @Nullable String ctype,
            @Nullable String locale,
            @Nullable String rules) {

        /** What the operator knows it by. */
        @Override
        public String toString() {
            return String.valueOf(provider.equals("c") ? collate : locale);
        }
    }

    /** A collation, of the database's encoding or of any. */
    record Named(String name, LocaleOf locale) {}

    /**
     * @param name   null if it has none
     */
    record Own(@Nullable String name, LocaleOf locale) {}

    static Own of(Connection connection) throws SQLException {
        List<Named> named = new ArrayList<>();
        LocaleOf own = null;
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(LOCALES)) {
            while (rows.next()) {
                String name = rows.getString("name");
                LocaleOf locale = new LocaleOf(rows.getString("provider"), rows.getString("collate"),
                        rows.getString("ctype"), rows.getString("locale"), rows.getString("rules"));
                if (name == null) {
                    own = locale;
                } else {
                    named.add(new Named(name, locale));
                }
            }
        }
        if (own == null) {
            throw new SQLException("the source's database is not in its own pg_database");
        }
        return new Own(name(own, named).orElse(null), own);
    }

    /** @param named those to be preferred first */
    static Optional<String> name(LocaleOf own, List<Named> named) {
        if (own.provider().equals("b") || own.provider().equals("c") && CODE_POINTS.matcher(own.toString()).matches()) {
            return Optional.of("C");
        }
        return switch (own.provider()) {
            case "c" -> named.stream()
                    .filter(one -> one.locale().provider().equals("c") && sameOrder(own, one.locale()))
                    // Text is ordered by the one, whatever the other.
                    .min((a, b) -> Boolean.compare(!sameClasses(own, a.locale()), !sameClasses(own, b.locale())))
                    .map(Named::name);
            default -> named.stream()
                    .filter(one -> one.locale().provider().equals(own.provider())
                            && tag(one.locale().locale()).equals(tag(own.locale()))
                            && Objects.equals(one.locale().rules(), own.rules()))
                    .findFirst()
                    .map(Named::name);
        };
    }

    /** Whether two databases' own collations make the same lower case of a text. */
    static boolean sameCase(LocaleOf one, LocaleOf other) {
        return one.provider().equals(other.provider())
                && (one.provider().equals("c") ? sameClasses(one, other)
                        : tag(one.locale()).equals(tag(other.locale())));
    }

    private static boolean sameOrder(LocaleOf own, LocaleOf other) {
        return libc(own.collate()).equals(libc(other.collate()));
    }

    private static boolean sameClasses(LocaleOf own, LocaleOf other) {
        return libc(own.ctype()).equals(libc(other.ctype()));
    }

    /** The C library does not mind how an encoding is written: UTF-8 is utf8. */
    private static String libc(@Nullable String locale) {
        String name = String.valueOf(locale);
        int dot = name.indexOf('.');
        if (dot < 0) {
            return name;
        }
        int at = name.indexOf('@', dot);
        int end = at < 0 ? name.length() : at;
        return name.substring(0, dot + 1)
                + name.substring(dot + 1, end).toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "")
                + name.substring(end);
    }

    /** A language tag; PostgreSQL 15 takes a database's locale as it is written. */
    private static String tag(@Nullable String locale) {
        return String.valueOf(locale).toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
