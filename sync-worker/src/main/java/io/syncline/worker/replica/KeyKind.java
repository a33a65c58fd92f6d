package io.syncline.worker.replica;

import io.syncline.model.table.KeyColumn;
import java.util.regex.Pattern;

/** How the values of a key column travel into a statement. */
enum KeyKind {
    /** As numbers. */
    INTEGER,
    /** As their text; two texts are two keys. */
    TEXT,
    /** As their text; different texts may be one key (1.0 and 1.00), so that PostgreSQL has to find the doubles. */
    AMBIGUOUS,
    /** As the text of an array, made of the JSON array, or given as it is; otherwise the same. */
    ARRAY,
    /** As JSON, whatever it is: a text with its quotes, and null too; otherwise the same. */
    JSON;

    /** Whether different texts may be one key. */
    boolean isAmbiguous() {
        return switch (this) {
            case INTEGER, TEXT -> false;
            case AMBIGUOUS, ARRAY, JSON -> true;
        };
    }

    /**
     * Built-in types as {@code format_type} writes them, and what extensions add without a schema before it. What is not like
     * this (quoted, qualified, several words that no built-in type has) is a type of the source's own, which this database
     * does not have.
     */
    private static final Pattern BUILT_IN = Pattern.compile(
            "\"char\"|[a-z][a-z0-9_]*( (varying|precision|year|month|day|hour|minute|second|to [a-z]+))*"
                    + "(\\(\\d+(,-?\\d+)?\\))?( with(out)? time zone)?(\\[\\])?");

    private static final Pattern CHARACTERS = Pattern.compile("text|character varying(\\(\\d+\\))?");

    /** Of deterministic collations all: capture takes no others. */
    static KeyKind of(KeyColumn column) throws TableFault {
        String type = column.nativeType();
        if (!column.labels().isEmpty()) {
            return TEXT;
        }
        if (type.equals("bigint") || type.equals("integer") || type.equals("smallint")) {
            return INTEGER;
        }
        if (!BUILT_IN.matcher(type).matches()) {
            throw new TableFault("a key column has the type " + type
                    + ", which only the source knows: such keys cannot be copied", false);
        }
        if (type.endsWith("[]")) {
            return ARRAY;
        }
        if (type.equals("jsonb")) {
            return JSON;
        }
        return type.equals("uuid") || CHARACTERS.matcher(type).matches() ? TEXT : AMBIGUOUS;
    }
}
