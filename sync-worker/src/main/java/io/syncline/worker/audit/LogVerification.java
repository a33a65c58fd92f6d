package io.syncline.worker.audit;

import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.Acknowledgement;
import io.syncline.model.log.Acknowledgements;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.ChainReader.Verdict;
import io.syncline.model.log.Fence;
import io.syncline.model.log.Hole;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.MalformedRecordException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the whole event log and names what is not as the cluster's workers wrote it. Neighbours that are wrong for one cause
 * are named in one line.
 */
public final class LogVerification {

    /** Lines about foreign and void records of one partition; more are counted. */
    private static final int MOST_LINES = 1_000;

    private final EventLogReader log;
    private final CredentialKeys keys;
    private final Consumer<String> tell;
    private boolean whole = true;
    private long foreign;

    public LogVerification(EventLogReader log, CredentialKeys keys, Consumer<String> tell) {
        this.log = log;
        this.keys = keys;
        this.tell = tell;
    }

    /** What came of it. */
    public enum Verified {
        /** Nothing is missing, and nothing foreign lies between. */
        WHOLE,
        /** Nothing is missing; foreign records lie between. */
        WHOLE_WITH_FOREIGN,
        /** Something is missing, or cannot be read. */
        NOT_WHOLE
    }

    public Verified verify(int partitions) {
        for (int partition = 0; partition < partitions; partition++) {
            verify(log.partition(partition));
        }
        if (!whole) {
            tell.accept("The log is NOT whole.");
            return Verified.NOT_WHOLE;
        }
        tell.accept("The log is whole."
                + (foreign == 0 ? "" : " " + counted(foreign, "foreign record") + " in it: no part of it."));
        return foreign == 0 ? Verified.WHOLE : Verified.WHOLE_WITH_FOREIGN;
    }

    private void verify(PartitionRecords partition) {
        long beginning = partition.beginning();
        long end = partition.end();
        ChainReading.Read<Reading> read = ChainReading.read(partition, ChainReader.Head.start(), beginning, end, keys,
                () -> new Reading(beginning));
        Reading reading = read.visitor();
        reading.end(end, read.reader());
        String where = "partition " + partition.partition();
        if (beginning > 0 && !read.acknowledged().coversBeginning(0, beginning)) {
            whole = false;
            tell.accept(
                    where + ": the log begins at offset " + beginning + ": HOLE: the records before it were deleted");
        }
        for (Acknowledgements.Bridge bridge : read.acknowledged().bridges()) {
            tell.accept(where + acknowledged(bridge));
        }
        reading.findings.forEach(found -> tell.accept(where + found));
        if (reading.more > 0) {
            tell.accept(where + ": " + counted(reading.more, "more line") + " of this kind left out");
        }
        whole &= reading.whole;
        foreign += reading.foreign;
        tell.accept(where + ": " + reading.events + " events, " + reading.fences + " fences, last hash "
                + HexFormat.of().formatHex(read.reader().headBehindHoles().hash())
                + (reading.foreign == 0 ? "" : ", " + counted(reading.foreign, "foreign record")));
    }

    private static String acknowledged(Acknowledgements.Bridge bridge) {
        Hole hole = bridge.hole();
        Fence fence = bridge.acknowledgement();
        Acknowledgement said = fence.acknowledges();
        return offsets(hole.fromOffset(), hole.toOffset() - 1) + ": acknowledged hole: " + hole.what() + "; "
                + bridge.restored().size() + " restored, " + bridge.lost() + " lost; by "
                + (said == null ? "?" : said.by() + " at " + fence.time() + ": " + said.reason());
    }

    private static String offsets(long first, long last) {
        return last <= first ? ", offset " + first : ", offsets " + first + " to " + last;
    }

    private static String counted(long count, String what) {
        return count + " " + what + (count == 1 ? "" : "s");
    }

    /** One reading of one partition. */
    private static final class Reading implements ChainReading.Visitor {

        private final List<String> findings = new ArrayList<>();
        /** Foreign records since the last record that is part of the log: the chain behind says if they stand in a hole. */
        private final List<Finding> since = new ArrayList<>();
        private final List<Finding> undecided = new ArrayList<>();
        private boolean whole = true;
        private long next;
        private long events;
        private long fences;
        private long foreign;
        private long more;
        private boolean ours;
        private @Nullable Finding unknownKey;
        /** Could not be decoded, and the chain has not gone on behind it: it may have been the last event. */
        private @Nullable Finding unreadable;
        private @Nullable Finding claims;
        private @Nullable Finding neighbour;

        private record Finding(String kind, long first, long last, String why) {

            @Override
            public String toString() {
                return offsets(first, last) + ": " + kind + ": " + why;
            }
        }

        Reading(long beginning) {
            this.next = beginning;
        }

        @Override
        public void verdict(long offset, Verdict verdict, ChainReader reader) {
            isAt(offset);
            next = offset + 1;
            if (verdict instanceof Verdict.Foreign(String why, MalformedRecordException.Kind kind, LoggedEvent claiming)) {
                foreign(offset, why, kind, claiming);
                return;
            }
            ours = true;
            switch (verdict) {
                case Verdict.Counts _ -> {
                    events++;
                    follows(reader);
                }
                case Verdict.Raises _ -> {
                    fences++;
                    follows(reader);
                }
                case Verdict.Resumes(Acknowledgements.Bridge bridge, LoggedEvent _) -> {
                    events += bridge.restored().size() + 1;
                    follows(reader);
                }
                case Verdict.RaisesBehind(Acknowledgements.Bridge bridge, Fence _) -> {
                    events += bridge.restored().size();
                    fences++;
                    follows(reader);
                }
                case Verdict.Voided(LoggedEvent _, String why) -> add(new Finding("void", offset, offset, why));
                case Verdict.Detached(LoggedEvent _, String why) ->
                        undecided.add(new Finding("void", offset, offset, why));
                case Verdict.Proves(Fence _, List<Hole> holes) -> {
                    fences++;
                    holes(holes);
                }
                case Verdict.Foreign _ -> {}
            }
        }

        private void foreign(long offset, String why, MalformedRecordException.Kind kind,
                @Nullable LoggedEvent claiming) {
            foreign++;
            Finding found = new Finding(
                    kind == MalformedRecordException.Kind.UNREADABLE ? "unreadable" : "foreign or altered", offset,
                    offset,
                    why);
            if (kind == MalformedRecordException.Kind.UNREADABLE) {
                unreadable = found;
            }
            if (kind == MalformedRecordException.Kind.UNKNOWN_KEY) {
                unknownKey = found;
            }
            if (claiming != null && claims == null) {
                claims = found;
            }
            if (since.size() < MOST_LINES) {
                since.add(found);
            } else {
                more++;
            }
        }

        /** Nothing is ever deleted from the topic; transactions of others leave markers, which no reader is given. */
        private void isAt(long offset) {
            if (offset > next) {
                add(new Finding("no record", next, offset - 1, "a marker of a transaction of others, or removed"));
                next = offset;
            }
        }

        /** The chain goes on: what lies between is no part of it, and nothing was there before. */
        private void follows(ChainReader reader) {
            claims = null;
            unreadable = null;
            since.forEach(this::add);
            since.clear();
            if (reader.open().isEmpty()) {
                undecided.forEach(this::add);
                undecided.clear();
            }
        }

        private void holes(List<Hole> holes) {
            whole = false;
            neighbour = null;
            claims = null;
            unreadable = null;
            for (Hole hole : holes) {
                StringBuilder what = new StringBuilder(offsets(hole.fromOffset(), hole.toOffset())).append(": HOLE: ")
                        .append(hole.what())
                        .append(hole.afterSequence() - hole.beforeSequence() > 1 ? " were" : " was")
                        .append(" altered, removed or replaced; the record at offset ")
                        .append(hole.toOffset())
                        .append(" goes on from event ")
                        .append(hole.afterSequence());
                since.stream()
                        .filter(one -> one.first >= hole.fromOffset() && one.first < hole.toOffset())
                        .limit(10)
                        .forEach(one -> what.append("; at offset ").append(one.first).append(": ").append(one.why));
                since.removeIf(one -> one.first >= hole.fromOffset() && one.first < hole.toOffset());
                findings.add(what.toString());
            }
            events += undecided.size();
            undecided.clear();
        }

        void end(long end, ChainReader reader) {
            isAt(end);
            if (!reader.open().isEmpty()) {
                holes(reader.open());
            }
            Finding beyond = claims;
            since.forEach(this::add);
            since.clear();
            Finding undecoded = unreadable;
            if (undecoded != null) {
                whole = false;
                findings.add(offsets(undecoded.first, undecoded.last)
                        + ": NOT PROVEN: the record cannot be decoded, and no event behind it says that it was none");
            }
            Finding other = unknownKey;
            if (beyond != null) {
                whole = false;
                findings.add(offsets(beyond.first, beyond.last)
                        + ": NOT PROVEN: the log seems to go on here with a key that is not in the key file, which may be an"
                        + " older one");
            } else if (!ours && other != null) {
                whole = false;
                findings.add(": NOT PROVEN: no record of this partition was written with a key of this key file");
            }
        }

        private void add(Finding found) {
            Finding before = neighbour;
            if (before != null && before.kind.equals(found.kind) && before.why.equals(found.why)
                    && found.first == before.last + 1) {
                Finding both = new Finding(found.kind, before.first, found.last, found.why);
                findings.set(findings.size() - 1, both.toString());
                neighbour = both;
            } else if (findings.size() < MOST_LINES) {
                findings.add(found.toString());
                neighbour = found;
            } else {
                neighbour = null;
                more++;
            }
        }
    }
}
