package io.syncline.model.log;

/** A record that is not in the form its topic promises; the message never quotes its content. */
public final class MalformedRecordException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String why;

    public MalformedRecordException(String why) {
        super(why);
        this.why = why;
    }

    public String why() {
        return why;
    }
}
