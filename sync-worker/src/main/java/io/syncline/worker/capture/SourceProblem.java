package io.syncline.worker.capture;

import org.jspecify.annotations.Nullable;

/**
 * Why the source cannot be captured (or what will hurt later), and what to do.
 *
 * @param setting     what is wrong: a setting of the source's or of ours
 * @param value       what it is now
 * @param problem     why that does not do
 * @param remedy      what the operator can do
 * @param retryMayFix whether it may pass by itself
 */
record SourceProblem(String setting, @Nullable String value, String problem, String remedy, boolean retryMayFix) {

    String sentence() {
        return setting + (value == null ? "" : " is '" + value + "'") + ": " + problem + " — " + remedy;
    }
}
