package io.syncline.worker.audit;

import org.jspecify.annotations.Nullable;

/** Counts records that no worker of this cluster wrote, for an operator to see. Not for several threads at once. */
public final class ForeignRecords {

    private long count;
    private long last = -1;
    private @Nullable String why;

    public void at(long offset, String cause) {
        count++;
        last = offset;
        why = cause;
    }

    public long count() {
        return count;
    }

    /** In a few words; empty where there are none. */
    @Override
    public String toString() {
        return count == 0 ? ""
                : count + (count == 1 ? " foreign record" : " foreign records") + " passed over, the last at offset "
                        + last + ": " + why;
    }
}
