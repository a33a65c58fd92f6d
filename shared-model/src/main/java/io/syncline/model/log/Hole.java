package io.syncline.model.log;

/**
 * What is missing in a partition of the event log: workers wrote it, and it was altered, removed or replaced since. What
 * follows proves it, by the sequence and the hash that it goes on from.
 *
 * @param beforeSequence the last event that counted before the hole, 0 for none
 * @param beforeHash     that event's hash in hexadecimal, 64 zeros for none
 * @param afterSequence  the event on which the chain goes on: the last one that is missing
 * @param afterHash      that event's hash in hexadecimal
 * @param fence          offset of a fence that is missing, -1 where none is
 * @param fromOffset     offset behind the last record before the hole that is part of the log
 * @param toOffset       offset of the record that proves the hole
 */
public record Hole(
        long beforeSequence,
        String beforeHash,
        long afterSequence,
        String afterHash,
        long fence,
        long fromOffset,
        long toOffset) {

    /** A fence that is missing, and of which nothing but the state database tells. */
    public static Hole ofFence(long offset) {
        String none = ChainReader.Head.start().hashHex();
        return new Hole(0, none, 0, none, offset, offset, offset + 1);
    }

    /** Records at the beginning of the log of which nothing tells what they were. */
    public static Hole ofBeginning(long firstLeft) {
        String none = ChainReader.Head.start().hashHex();
        return new Hole(0, none, 0, none, -1, 0, firstLeft);
    }

    /** The same hole, from another offset on. */
    public Hole from(long offset) {
        return new Hole(beforeSequence, beforeHash, afterSequence, afterHash, fence, offset, toOffset);
    }

    /** Whether another one is the same hole, wherever it was found. */
    public boolean isThatOf(Hole other) {
        return beforeSequence == other.beforeSequence && beforeHash.equals(other.beforeHash)
                && afterSequence == other.afterSequence && afterHash.equals(other.afterHash) && fence == other.fence;
    }

    /** What is missing, for a person. */
    public String what() {
        StringBuilder what = new StringBuilder();
        if (afterSequence > beforeSequence) {
            what.append(afterSequence == beforeSequence + 1 ? "event " + afterSequence
                    : "events " + (beforeSequence + 1) + " to " + afterSequence);
        } else if (!afterHash.equals(beforeHash)) {
            what.append("event ").append(afterSequence).append(" as it was");
        }
        if (fence >= 0) {
            what.append(what.isEmpty() ? "" : " and ").append("the fence at offset ").append(fence);
        }
        return what.isEmpty() ? "records" : what.toString();
    }
}
