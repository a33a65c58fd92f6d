package io.syncline.model.log;

/** A record that is not in the form its topic promises; the message never quotes its content. */
public final class MalformedRecordException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String why;
    private final boolean unknownKey;

    public MalformedRecordException(String why) {
        this(why, false);
    }

    private MalformedRecordException(String why, boolean unknownKey) {
        super(why);
        this.why = why;
        this.unknownKey = unknownKey;
    }

    /** Whole in itself, so that it may well be the key file that is wrong. */
    static MalformedRecordException ofUnknownKey() {
        return new MalformedRecordException(
                "it was made with a key that is not in the key file, which is not the cluster's, or an older one",
                true);
    }

    public String why() {
        return why;
    }

    /** Whether all that is wrong is that the record names a key that we do not hold. */
    public boolean unknownKey() {
        return unknownKey;
    }
}
