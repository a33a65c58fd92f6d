package io.syncline.gateway.table;

import io.syncline.gateway.dispatch.Submission;
import io.syncline.gateway.http.PeerAnswer;
import io.syncline.gateway.http.PeerCall;
import io.syncline.gateway.http.PeerRefusal;
import io.syncline.gateway.http.UnavailableException;
import io.syncline.model.connection.AccessPolicy;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PullKind;
import io.syncline.model.connection.PullOutcome;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.connection.SiteUrl;
import java.io.IOException;
import java.io.OutputStream;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where this gateway's pulls get their grants from, and where it says what became of them.
 *
 * <p>Where a connection counts downloads or records, or an operator has to say yes, a worker decides before the first row.
 * Elsewhere nothing can be refused: the pull is announced when there is a stream for it, and not a byte of it leaves before
 * the announcement cannot be lost any more. Either way no pull is without its fact.
 */
public final class PullLedger implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(PullLedger.class);

    /** The records that {@code table-records} draws from, for one connection, table and caller's address. */
    static final long RECORDS_AT_ONCE = 1_000;
    /** How long it draws from one grant. */
    static final Duration DRAWN_FOR = Duration.ofMinutes(1);
    /** Grants that are drawn from: addresses are as many as callers please, and whoever finds none is given another. */
    static final int MOST_DRAWN = 10_000;
    /** For what lies between a stream's end and its report. */
    private static final Duration MARGIN = Duration.ofSeconds(30);
    private static final Duration ACKNOWLEDGED_WITHIN = Duration.ofSeconds(5);
    /** After a report, what is counted is right again. */
    private static final Duration COUNTED_WITHIN = Duration.ofSeconds(5);
    private static final Duration TICK = Duration.ofSeconds(1);
    private static final Duration ASK_AGAIN = Duration.ofSeconds(30);
    private static final Duration SOON = Duration.ofSeconds(1);
    private static final Duration SEND_AGAIN = Duration.ofMillis(100);
    /** Reports that wait for the next tick, or that the broker has not taken. */
    private static final int MOST_UNSENT = 10_000;

    private static final String NOT_RECORDED = "The pull was not begun: it cannot be recorded now; try again later";

    private final Ring ring;
    private final Approvals approvals;
    private final Supplier<UUID> ids;
    private final Duration longestStream;
    private final LongSupplier nanoTime;
    /** The oldest first. */
    private final Map<Source, Drawn> drawn = new LinkedHashMap<>();
    /** Connections with something counted, and when a grant of theirs was last reported: for so long as that may take. */
    private final Map<UUID, Long> reportedAt = new HashMap<>();
    private final Deque<Unsent> unsent = new ArrayDeque<>();
    /** Reports that the broker has yet to answer for. */
    private final Set<CompletableFuture<Void>> sending = ConcurrentHashMap.newKeySet();
    /** Pulls that have been let in and have not ended. */
    private final Set<Ending> running = new HashSet<>();
    /** Calls that may let one in yet: they wait for their grant. Guarded by {@link #running}. */
    private int opening;
    private final ScheduledExecutorService timer = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("pull-ledger").factory());

    /** The ring, as far as pulls need it. */
    public interface Ring {

        /** Asks, and waits for the outcome. */
        Submission submit(UUID requestId, SiteRequest request);

        /** Says what is true already; done once it cannot be lost any more. */
        CompletableFuture<Void> announce(UUID requestId, SiteRequest request);
    }

    /** What operators have said, in the committed state. */
    @FunctionalInterface
    public interface Approvals {

        /** Whether pulls of this table are approved now. */
        boolean approved(SiteUrl site, String table) throws SQLException;
    }

    /** @param longestStream the longest that one answer may take */
    public PullLedger(Ring ring, Approvals approvals, Supplier<UUID> ids, Duration longestStream,
            LongSupplier nanoTime) {
        this.ring = ring;
        this.approvals = approvals;
        this.ids = ids;
        this.longestStream = longestStream;
        this.nanoTime = nanoTime;
    }

    public void start() {
        var unused = timer.scheduleWithFixedDelay(this::tick, TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Whether rows may be given, or what the caller hears instead. */
    sealed interface Answer {
        record Yes(Pull pull) implements Answer {}

        record No(PeerAnswer answer) implements Answer {}
    }

    /**
     * Who pulls.
     *
     * @param path of the call, to which it can be sent again
     */
    record Caller(String address, String path) {

        static Caller of(PeerCall call) {
            return new Caller(call.remoteAddress(), call.path());
        }
    }

    /** @param rows as many as the answer would hold at most */
    Answer download(Caller call, TableAccess.Sender sender, ServedTable table, long rows) {
        boolean recordsCount = sender.settings().maxRecordsTotal() != null;
        opens(1);
        try {
            return open(call, sender, table, PullKind.DOWNLOAD, rows, rows, longestStream.plus(MARGIN))
                    // Fewer than asked for: the worker knows of a limit that was set since the call was admitted.
                    .map(grant -> runs(new Download(grant, table.asOf(),
                            grant.decided() && (recordsCount || grant.records < rows))));
        } finally {
            opens(-1);
        }
    }

    /** @param rows as many as the answer would hold at most */
    Answer records(Caller call, TableAccess.Sender sender, ServedTable table, long rows) throws SQLException {
        opens(1);
        try {
            return drawOrOpen(call, sender, table, rows);
        } finally {
            opens(-1);
        }
    }

    private Answer drawOrOpen(Caller call, TableAccess.Sender sender, ServedTable table, long rows)
            throws SQLException {
        Source source = new Source(sender.uuid(), table.name(), decidedBefore(sender, table.name()),
                call.address());
        if (isOpen(source) && AccessPolicy.needsApproval(sender.settings(), table.name())
                && !approvals.approved(sender.site(), table.name())) {
            // Denied since, or over: a worker says which.
            retire(source);
        }
        Draw draw = draw(source, rows, table.asOf());
        if (draw != null) {
            return new Answer.Yes(draw);
        }
        return open(call, sender, table, PullKind.RECORDS, RECORDS_AT_ONCE, rows,
                DRAWN_FOR.plus(longestStream).plus(MARGIN)).map(grant -> first(source, grant, rows, table.asOf()));
    }

    // ---- opening a grant

    /** Made by a worker; or by ourselves, to be announced once it is used. */
    private final class Open {

        private final SiteRequest.PullRequested request;
        private final long records;
        private final long openedAt = nanoTime.getAsLong();
        /**
         * Done once it cannot be lost any more; null for a worker's, and until it may have reached the broker: what cannot have
         * is never reported. Read without a lock, since an announcement may have to wait for a broker.
         */
        private volatile @Nullable CompletableFuture<Void> announced;

        Open(SiteRequest.PullRequested request, long records) {
            this.request = request;
            this.records = records;
        }

        boolean decided() {
            return !request.begun();
        }

        synchronized void begin() {
            if (decided()) {
                return;
            }
            CompletableFuture<Void> sent = announced;
            if (sent == null) {
                sent = ring.announce(ids.get(), request);
                if (!sent.isCompletedExceptionally()) {
                    announced = sent;
                }
            }
            if (sent.isCompletedExceptionally()) {
                throw new UnavailableException(NOT_RECORDED, sent.exceptionNow());
            }
        }

        @Nullable
        CompletableFuture<Void> announced() {
            return announced;
        }

        /** Whether it was used and nobody knows of it. */
        boolean lost() {
            CompletableFuture<Void> sent = announced;
            return sent != null && sent.isCompletedExceptionally();
        }

        void report(long rows, long bytes, @Nullable Instant asOf, PullOutcome outcome) {
            if (decided() || announced() != null) {
                PullLedger.this.report(request, rows, bytes, asOf, since(openedAt), outcome);
            }
        }
    }

    private sealed interface Opened {
        record Yes(Open grant) implements Opened {}

        record No(PeerAnswer answer) implements Opened {}

        default Answer map(java.util.function.Function<Open, Pull> pull) {
            return switch (this) {
                case Yes(Open grant) -> new Answer.Yes(pull.apply(grant));
                case No(PeerAnswer answer) -> new Answer.No(answer);
            };
        }
    }

    private static boolean decidedBefore(TableAccess.Sender sender, String table) {
        return AccessPolicy.counts(sender.settings()) || AccessPolicy.needsApproval(sender.settings(), table);
    }

    private Opened open(Caller call, TableAccess.Sender sender, ServedTable table, PullKind kind, long rows,
            long atLeast, Duration time) {
        boolean begun = !decidedBefore(sender, table.name());
        if (AccessPolicy.recordsLeft(sender.settings(), sender.use()) < atLeast) {
            giveBackIdle(sender.uuid());
        }
        Optional<Refusal> exhausted = AccessPolicy.exhausted(sender.settings(), sender.use(), kind);
        if (exhausted.isPresent() && !isGivingBack(sender.uuid())) {
            return refused(exhausted.get());
        }
        SiteRequest.PullRequested request = new SiteRequest.PullRequested(sender.site(), sender.uuid(), ids.get(), kind,
                table.name(), rows, atLeast, time.toSeconds(), begun, call.address());
        if (begun) {
            return new Opened.Yes(new Open(request, rows));
        }
        return switch (ring.submit(ids.get(), request)) {
            case Submission.Decided(Outcome.Granted granted) ->
                    new Opened.Yes(new Open(request, granted.records()));
            case Submission.Decided(Outcome.AwaitingApproval awaiting) ->
                    new Opened.No(PeerAnswer.waiting(awaiting.transfer(), call.path(), ASK_AGAIN));
            case Submission.Decided(Outcome.Refused(Refusal refusal)) -> switch (refusal) {
                case NOT_FOUND -> new Opened.No(PeerAnswer.refused(PeerRefusal.Known.INVALID_CONNECTION));
                case Refusal other -> refused(other);
            };
            case Submission.Decided(Outcome.Accepted accepted) ->
                    throw new IllegalStateException("a pull was decided without a grant: " + accepted);
            case Submission.NotApplied notApplied ->
                    unavailable("The pull was not begun: " + notApplied.why());
            case Submission.Busy busy -> unavailable("The pull was not begun: too many requests are waiting");
            case Submission.NotKnown notKnown -> {
                // It may be granted yet, and nobody will use it.
                report(request, 0, 0, null, Duration.ZERO, PullOutcome.BROKEN_OFF);
                yield unavailable("The pull was not begun: nobody has decided it in time");
            }
        };
    }

    private static Opened refused(Refusal refusal) {
        return new Opened.No(PeerAnswer.refused(new PeerRefusal.Refused(refusal)));
    }

    private static Opened unavailable(String why) {
        return new Opened.No(PeerAnswer.refused(new PeerRefusal.Unavailable(why + "; try again later", SOON)));
    }

    /** Not a byte of a pull leaves before it is on record that there is one. */
    private static void awaitAnnounced(@Nullable CompletableFuture<Void> announced) {
        if (announced == null) {
            return;
        }
        try {
            announced.get(ACKNOWLEDGED_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new UnavailableException(NOT_RECORDED, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnavailableException(NOT_RECORDED, e);
        }
    }

    /** A pull until it has ended: however many come to end it, it ends once. */
    private abstract class Ending implements Pull {

        private volatile @Nullable Counted leaving;
        private volatile @Nullable Tally tallied;

        @Override
        public final void give(PeerAnswer.JsonStream rows, Tally tally, OutputStream out)
                throws IOException, SQLException {
            Counted counted = new Counted(out, grant().announced());
            tallied = tally;
            leaving = counted;
            boolean completed = false;
            try {
                rows.writeTo(counted);
                completed = true;
            } finally {
                end(completed);
            }
        }

        /** @param completed false: it was broken off with what may have left by now */
        final void end(boolean completed) {
            Counted counted = leaving;
            Tally tally = tallied;
            long bytes = counted == null ? 0 : counted.bytes;
            end(bytes == 0 || tally == null ? 0 : tally.rows(), bytes, completed);
        }

        @Override
        public final void unused() {
            if (ends()) {
                nothingGiven();
            }
        }

        private void end(long rows, long bytes, boolean completed) {
            if (ends()) {
                given(rows, bytes, completed);
            }
        }

        private boolean ends() {
            synchronized (running) {
                running.notifyAll();
                return running.remove(this);
            }
        }

        abstract Open grant();

        abstract void given(long rows, long bytes, boolean completed);

        abstract void nothingGiven();
    }

    private <T extends Ending> T runs(T pull) {
        synchronized (running) {
            running.add(pull);
        }
        return pull;
    }

    private void opens(int more) {
        synchronized (running) {
            opening += more;
            running.notifyAll();
        }
    }

    /** Waits until no pull runs or waits for its grant; false if some still do. */
    boolean awaitEnded(Duration longest) throws InterruptedException {
        long until = System.nanoTime() + longest.toNanos();
        synchronized (running) {
            while (!running.isEmpty() || opening > 0) {
                long left = until - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(running, left);
            }
            return true;
        }
    }

    /** Ends the pulls that still run, with what has left of them or may have; nothing more may leave. */
    void breakOff() {
        List<Ending> now;
        synchronized (running) {
            now = List.copyOf(running);
        }
        now.forEach(pull -> pull.end(false));
    }

    /** An answer on its way: how much of it has left, or may have. */
    private static final class Counted extends OutputStream {

        private final OutputStream out;
        private final @Nullable CompletableFuture<Void> announced;
        /** Written by the stream's thread. */
        private volatile long bytes;

        Counted(OutputStream out, @Nullable CompletableFuture<Void> announced) {
            this.out = out;
            this.announced = announced;
        }

        @Override
        public void write(int single) throws IOException {
            write(new byte[]{(byte) single}, 0, 1);
        }

        @Override
        public void write(byte[] buffer, int from, int length) throws IOException {
            if (bytes == 0) {
                awaitAnnounced(announced);
            }
            // First: of what fails in the midst, a part has left, and who breaks off there has it for nothing otherwise.
            bytes += length;
            out.write(buffer, from, length);
        }

        @Override
        public void flush() throws IOException {
            out.flush();
        }
    }

    // ---- pull-data: one grant, one answer

    private final class Download extends Ending {

        private final Open grant;
        private final Instant asOf;
        private final boolean counted;

        Download(Open grant, Instant asOf, boolean counted) {
            this.grant = grant;
            this.asOf = asOf;
            this.counted = counted;
        }

        @Override
        public void begin() {
            grant.begin();
        }

        @Override
        public long records() {
            return grant.records;
        }

        @Override
        public boolean counted() {
            return counted;
        }

        @Override
        Open grant() {
            return grant;
        }

        @Override
        void given(long rows, long bytes, boolean completed) {
            grant.report(rows, bytes, asOf, completed ? PullOutcome.COMPLETED : PullOutcome.BROKEN_OFF);
        }

        @Override
        void nothingGiven() {
            grant.report(0, 0, null, PullOutcome.BROKEN_OFF);
        }
    }

    // ---- table-records: one grant, many answers

    /**
     * @param decided whether a worker decides before rows are given: with the settings, that may change
     * @param address the caller's: a grant's fact names one, and must not lay another caller's rows to its charge
     */
    private record Source(UUID connection, String table, boolean decided, String address) {}

    /** A grant that answers draw from. Guarded by the ledger. */
    private static final class Drawn {

        private final Open grant;
        private long left;
        private int drawing;
        private long rows;
        private long bytes;
        private boolean brokenOff;
        private boolean retired;
        private Instant asOf;

        Drawn(Open grant, Instant asOf) {
            this.grant = grant;
            this.left = grant.records;
            this.asOf = asOf;
        }
    }

    private synchronized boolean isOpen(Source source) {
        return drawn.containsKey(source);
    }

    private synchronized void retire(Source source) {
        Drawn one = drawn.remove(source);
        if (one != null) {
            retire(one);
        }
    }

    private synchronized @Nullable Draw draw(Source source, long rows, Instant asOf) {
        Drawn from = drawn.get(source);
        if (from == null) {
            return null;
        }
        if (from.left < rows || isOver(from) || from.grant.lost()) {
            retire(source);
            return null;
        }
        return draw(from, rows, asOf);
    }

    private synchronized Draw first(Source source, Open grant, long rows, Instant asOf) {
        Drawn made = new Drawn(grant, asOf);
        // Where two calls found none at the same time, there is one by now.
        retire(source);
        drawn.put(source, made);
        if (drawn.size() > MOST_DRAWN) {
            retire(drawn.keySet().iterator().next());
        }
        return draw(made, Math.min(rows, made.left), asOf);
    }

    private Draw draw(Drawn from, long rows, Instant asOf) {
        from.left -= rows;
        from.drawing++;
        from.asOf = asOf;
        return runs(new Draw(from, rows));
    }

    /** What other tables' calls left over must not be missing. It comes before what is asked for next, in one partition. */
    private synchronized void giveBackIdle(UUID connection) {
        drawn.entrySet().removeIf(one -> {
            boolean idle = one.getKey().connection().equals(connection) && one.getValue().drawing == 0;
            if (idle) {
                retire(one.getValue());
            }
            return idle;
        });
    }

    /** Whether what is counted now may be more than what has been given: then only a worker knows. */
    private synchronized boolean isGivingBack(UUID connection) {
        Long reported = reportedAt.get(connection);
        return reported != null && nanoTime.getAsLong() - reported < COUNTED_WITHIN.toNanos();
    }

    private boolean isOver(Drawn one) {
        return nanoTime.getAsLong() - one.grant.openedAt >= DRAWN_FOR.toNanos();
    }

    /** Nothing more is drawn from it; the last one that draws reports it. */
    private void retire(Drawn one) {
        one.retired = true;
        if (one.drawing == 0) {
            one.grant.report(one.rows, one.bytes, one.asOf,
                    one.brokenOff ? PullOutcome.BROKEN_OFF : PullOutcome.COMPLETED);
        }
    }

    private synchronized void drawn(Drawn from, long taken, long rows, long bytes, boolean completed) {
        from.left += taken - rows;
        from.rows += rows;
        from.bytes += bytes;
        from.brokenOff |= !completed;
        from.drawing--;
        if (from.retired) {
            retire(from);
        }
    }

    private final class Draw extends Ending {

        private final Drawn from;
        private final long taken;

        Draw(Drawn from, long taken) {
            this.from = from;
            this.taken = taken;
        }

        @Override
        public void begin() {
            from.grant.begin();
        }

        @Override
        public long records() {
            return taken;
        }

        @Override
        public boolean counted() {
            return true;
        }

        @Override
        Open grant() {
            return from.grant;
        }

        @Override
        void given(long rows, long bytes, boolean completed) {
            drawn(from, taken, rows, bytes, completed);
        }

        @Override
        void nothingGiven() {
            drawn(from, taken, 0, 0, true);
        }
    }

    // ---- reporting

    private record Unsent(UUID id, SiteRequest.PullReported report, long until) {}

    private void report(SiteRequest.PullRequested request, long rows, long bytes, @Nullable Instant asOf,
            Duration took, PullOutcome outcome) {
        Unsent report = new Unsent(ids.get(), new SiteRequest.PullReported(request.siteUrl(), request.grant(), rows,
                bytes, asOf, took.toMillis(), outcome),
                nanoTime.getAsLong() + Duration.ofSeconds(request.seconds()).toNanos());
        if (!request.begun()) {
            synchronized (this) {
                reportedAt.put(request.connectionUuid(), nanoTime.getAsLong());
            }
        }
        // Where something is counted, others wait for what is given back; elsewhere reports go together, since one decided
        // by itself costs the worker as much as a hundred. Nor is anything kept that no tick comes for.
        if (!request.begun() || timer.isShutdown() || !kept(report)) {
            send(report);
        }
    }

    private void send(Unsent one) {
        CompletableFuture<Void> sent = ring.announce(one.id(), one.report());
        sending.add(sent);
        var unused = sent.whenComplete((done, failure) -> {
            if (failure != null) {
                keep(one, failure);
            }
            sending.remove(sent);
        });
    }

    private void keep(Unsent one, Throwable failure) {
        if (!kept(one)) {
            log.warn(
                    "Grant {} is not reported and will count in full: the broker takes nothing, and {} reports wait ({})",
                    one.report().grant(), MOST_UNSENT, failure.getMessage());
        }
    }

    private boolean kept(Unsent one) {
        synchronized (unsent) {
            return unsent.size() < MOST_UNSENT && unsent.add(one);
        }
    }

    void tick() {
        try {
            retireOver(false);
            forgetReported();
            sendKept();
        } catch (RuntimeException e) {
            log.warn("Pulls could not be reported, trying again", e);
        }
    }

    private void sendKept() {
        List<Unsent> now;
        synchronized (unsent) {
            now = new ArrayList<>(unsent);
            unsent.clear();
        }
        // With the same id as before: had it arrived after all, it is decided once.
        now.stream().filter(one -> nanoTime.getAsLong() - one.until() < 0).forEach(this::send);
    }

    private synchronized void retireOver(boolean all) {
        drawn.values().removeIf(one -> {
            if (!all && !isOver(one)) {
                return false;
            }
            retire(one);
            return true;
        });
    }

    private synchronized void forgetReported() {
        long now = nanoTime.getAsLong();
        reportedAt.values().removeIf(at -> now - at >= COUNTED_WITHIN.toNanos());
    }

    /**
     * Reports all that has ended, and waits until the broker has it; called when nothing new is let in.
     *
     * @return false if it has not taken all of it in this time
     */
    boolean report(Duration longest) throws InterruptedException {
        timer.shutdownNow();
        retireOver(true);
        long until = System.nanoTime() + longest.toNanos();
        while (true) {
            sendKept();
            long left = until - System.nanoTime();
            try {
                CompletableFuture.allOf(sending.toArray(CompletableFuture[]::new))
                        .get(Math.max(0, left), TimeUnit.NANOSECONDS);
            } catch (ExecutionException | TimeoutException e) {
                // Kept, to be sent again; or not answered for yet.
            }
            synchronized (unsent) {
                if (unsent.isEmpty() && sending.isEmpty()) {
                    return true;
                }
            }
            if (until - System.nanoTime() <= 0) {
                return false;
            }
            Thread.sleep(SEND_AGAIN);
        }
    }

    private Duration since(long begun) {
        return Duration.ofNanos(nanoTime.getAsLong() - begun);
    }

    @Override
    public void close() {
        timer.shutdownNow();
        retireOver(true);
        sendKept();
    }
}
