package io.syncline.worker.replica;

import java.util.regex.Pattern;

/** How the values of a key column travel into a statement. */
enum KeyKind {
    /** As numbers. */
    INTEGER,
    /** As their text; two texts are two keys. */
    TEXT,
    /** As their text; different texts may be one key (1.0 and 1.00), so that PostgreSQL has to find the doubles. */
    AMBIGUOUS;

    /**
     * Built-in types as {@code format_type} writes them. What is not like this (quoted, qualified, several words that no
     * built-in type has) is a type of the source's own, which this database does not have.
     */
    private static final Pattern BUILT_IN = Pattern.compile(
            "[a-z][a-z0-9_]*( (varying|precision|year|month|day|hour|minute|second|to [a-z]+))*"
                    + "(\\(\\d+(,-?\\d+)?\\))?( with(out)? time zone)?(\\[\\])?");

    private static final Pattern CHARACTERS = Pattern.compile("text|character varying(\\(\\d+\\))?");

    static KeyKind of(String nativeType, boolean ownCollation) throws TableFault {
        if (nativeType.equals("bigint") || nativeType.equals("integer") || nativeType.equals("smallint")) {
            return INTEGER;
        }
        if (!BUILT_IN.matcher(nativeType).matches()) {
            throw new TableFault("a key column has the type " + nativeType
                    + ", which only the source knows: such keys cannot be copied yet", false);
        }
        return nativeType.equals("uuid") || CHARACTERS.matcher(nativeType).matches() && !ownCollation
                ? TEXT
                : AMBIGUOUS;
    }
}
