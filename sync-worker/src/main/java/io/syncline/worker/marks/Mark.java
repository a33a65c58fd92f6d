package io.syncline.worker.marks;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One number in the marks topic. It is part of the record's key, so that compaction never keeps a lower number in place of a
 * higher one, whoever wrote it last.
 *
 * @param kind   one of the constants here; for a table's numbers with the table's topic behind a slash
 * @param number from 0 to {@link #MOST}
 */
record Mark(String kind, long number) {

    /** A capture epoch that somebody asks for: the first record of its number decides whose it is. */
    static final String EPOCH = "epoch";

    /** A capture epoch that the state database has. */
    static final String BEGUN = "begun";

    /** No generation of an older capture epoch than this may be gone on with. */
    static final String DISTRUST = "distrust";

    /** No change of a row has been given a greater number than the newest of these. */
    static final String CHANGES = "changes";

    /** A generation of a table that the state database has. */
    static final String GENERATION = "generation/";

    /** A generation of a table that may not be gone on with, nor any older one. */
    static final String GIVEN_UP = "given-up/";

    /** Far beyond any number that is reached, and far enough below what a long holds to be calculated with. */
    static final long MOST = 4_000_000_000_000_000_000L;

    /** A generation's number is made of its epoch's. */
    static final long MOST_EPOCH = MOST / 1_000_000;

    private static final Pattern KEY = Pattern
            .compile("(epoch|begun|distrust|changes|generation/[^/]+|given-up/[^/]+)/(0|[1-9][0-9]{0,18})");

    String key() {
        return kind + "/" + number;
    }

    /** Empty for a key that no worker has written. */
    static Optional<Mark> parse(String key) {
        Matcher matcher = KEY.matcher(key);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        Mark mark = new Mark(matcher.group(1), Long.parseLong(matcher.group(2)));
        boolean ofEpoch = mark.kind.equals(EPOCH) || mark.kind.equals(BEGUN) || mark.kind.equals(DISTRUST);
        return mark.number <= (ofEpoch ? MOST_EPOCH : MOST) ? Optional.of(mark) : Optional.empty();
    }
}
