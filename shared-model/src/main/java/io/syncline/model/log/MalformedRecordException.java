package io.syncline.model.log;

/** A record that is not in the form its topic promises; the message never quotes its content. */
public final class MalformedRecordException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** What kind of thing is wrong. */
    public enum Kind {
        /** Form, hash, MAC or signature. */
        FORM,
        /** Whole in itself, but it names a key that we do not hold. */
        UNKNOWN_KEY,
        /** The client cannot decode it. */
        UNREADABLE
    }

    private final String why;
    private final Kind kind;

    public MalformedRecordException(String why) {
        this(why, Kind.FORM);
    }

    MalformedRecordException(String why, Kind kind) {
        super(why);
        this.why = why;
        this.kind = kind;
    }

    /** Whole in itself, so that it may well be the key file that is wrong. */
    static MalformedRecordException ofUnknownKey() {
        return new MalformedRecordException(
                "it was made with a key that is not in the key file, which is not the cluster's, or an older one",
                Kind.UNKNOWN_KEY);
    }

    public String why() {
        return why;
    }

    /** Whether all that is wrong is that the record names a key that we do not hold. */
    public boolean unknownKey() {
        return kind == Kind.UNKNOWN_KEY;
    }

    public Kind kind() {
        return kind;
    }
}
