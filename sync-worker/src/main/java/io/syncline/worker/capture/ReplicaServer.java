package io.syncline.worker.capture;

import io.syncline.worker.capture.DatabaseCollation.LocaleOf;
import org.jspecify.annotations.Nullable;

/**
 * What the state database can hold in the keys of replica tables.
 *
 * @param version  its server_version_num
 * @param citext   whether it has the extension, or our role may make it
 * @param locale   its own, by which citext folds case
 */
record ReplicaServer(int version, boolean citext, LocaleOf locale) {

    /** Why citext is not in it what it is in a source of this locale; null if it is. */
    @Nullable
    String causeAgainstCitext(LocaleOf ofSource) {
        if (!citext) {
            return "the state database has no extension citext, and our role may not make it there";
        }
        return DatabaseCollation.sameCase(ofSource, locale)
                ? null
                : "the source folds case by its locale " + ofSource + ", and the state database by " + locale;
    }
}
