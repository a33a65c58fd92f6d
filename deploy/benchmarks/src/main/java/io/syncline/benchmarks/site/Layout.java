package io.syncline.benchmarks.site;

import java.util.Locale;

/** How the parts of the site are spread over processes; the database is always one of its own. */
public enum Layout {

    /** Broker, gateway and worker in one JVM: the standalone, as its command starts it. */
    TOGETHER("gateway, worker and broker in one JVM (the standalone)"),

    /** A gateway, a worker, and the broker, a JVM each. */
    APART("gateway, worker and broker in a JVM each");

    private final String sentence;

    Layout(String sentence) {
        this.sentence = sentence;
    }

    public String sentence() {
        return sentence;
    }

    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Layout of(String word) {
        return valueOf(word.strip().toUpperCase(Locale.ROOT));
    }
}
