package io.syncline.worker.capture.encode;

/** How a column's text becomes JSON. Domains are given as their base type; whatever is not named here goes as text. */
public sealed interface ValueType {

    /** int2, int4, int8: a JSON number. */
    record Whole() implements ValueType {}

    /** float4, float8: PostgreSQL's text is the shortest that reads back the same; NaN and the infinities go as text. */
    record Floating() implements ValueType {}

    record Bool() implements ValueType {}

    /** json, jsonb: the JSON itself, its numbers untouched. */
    record Json() implements ValueType {}

    /** hstore: an object of texts and nulls. */
    record Hstore() implements ValueType {}

    /** time without time zone. */
    record Time(int fractionDigits) implements ValueType {}

    /** timestamp, with (in UTC) or without time zone. */
    record Timestamp(int fractionDigits, boolean inUtc) implements ValueType {}

    /** @param delimiter between elements: a comma for every type but box */
    record Array(ValueType element, char delimiter) implements ValueType {}

    /** inet: its text form names the netmask of a single host too, which its output function leaves out. */
    record Inet() implements ValueType {}

    /** Everything else: PostgreSQL's text form in a JSON string. */
    record Text() implements ValueType {}
}
