package io.syncline.gateway.dispatch;

import io.syncline.gateway.state.HighWater;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the last records of the event log's partitions whenever {@link HighWater} wants it: at start, when a database server
 * is met for the first time, and where the database has more than the log is known to have. All partitions are read at
 * once, each for itself: one whose leader does not answer keeps no other waiting. Clients are made for each reading, so that
 * none of them can be dead.
 */
final class LogEnds implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(LogEnds.class);
    /** For one reading. */
    private static final Duration LONGEST = Duration.ofSeconds(5);
    private static final Duration POLL = Duration.ofMillis(20);
    /** Clients are made for each reading: under load, what is asked for meanwhile is read together. */
    private static final Duration AT_LEAST_BETWEEN = Duration.ofMillis(100);
    private static final Duration FIRST_RETRY = Duration.ofMillis(200);
    private static final Duration LAST_RETRY = Duration.ofSeconds(2);
    private static final Duration NOTHING_WANTED = Duration.ofSeconds(2);
    /** That none of them is ours may mean many thousand records each time. */
    private static final Duration OTHER_KEYS_AGAIN = Duration.ofSeconds(10);

    private final KafkaSettings settings;
    private final CredentialKeys keys;
    private final HighWater highWater;
    private final Thread thread = Thread.ofPlatform().daemon().name("log-ends").unstarted(this::run);
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final Map<Integer, String> unread = new TreeMap<>();
    /** By partition, what is known from the readings before. */
    private final Map<Integer, LogEnd> ends = new TreeMap<>();
    private volatile Written written = Written.NOT_READ;

    LogEnds(KafkaSettings settings, CredentialKeys keys, HighWater highWater) {
        this.settings = settings;
        this.keys = keys;
        this.highWater = highWater;
    }

    /** Whose keys the log's ends were written with. */
    enum Written {
        /** No end has been read yet. */
        NOT_READ,
        /** Nothing has been written yet, so that it is not known. */
        NOT_YET,
        /** With ours. */
        BY_US,
        /** There are records, and none that our keys verify. */
        BY_OTHERS
    }

    void start() {
        thread.start();
    }

    Written written() {
        return written;
    }

    private void run() {
        Duration retry = FIRST_RETRY;
        while (stopping.getCount() > 0) {
            boolean all = false;
            Set<Integer> wanted = Set.of();
            try {
                wanted = highWater.awaitWanted(NOTHING_WANTED);
                if (written != Written.BY_US) {
                    wanted = IntStream.range(0, highWater.partitions()).boxed().collect(Collectors.toSet());
                }
                all = wanted.isEmpty() || read(wanted);
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException | Error e) {
                // An Error, too: without this thread no new database would ever be answered from.
                wanted.forEach(partition -> unread(partition, e.toString()));
                log.debug("the ends of {} could not be read", Topics.EVENTS, e);
            }
            retry = all ? FIRST_RETRY : longer(retry);
            pause(written == Written.BY_OTHERS ? OTHER_KEYS_AGAIN : all ? AT_LEAST_BETWEEN : retry);
        }
    }

    private static Duration longer(Duration before) {
        Duration doubled = before.multipliedBy(2);
        return doubled.compareTo(LAST_RETRY) > 0 ? LAST_RETRY : doubled;
    }

    private void pause(Duration time) {
        try {
            boolean unused = stopping.await(time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A partition whose end is being read: first where it is, then what is there. */
    private final class Reading {

        private final TopicPartition of;
        private final Future<ListOffsetsResult.ListOffsetsResultInfo> beginning;
        private final Future<ListOffsetsResult.ListOffsetsResultInfo> ending;
        private final LogEnd end;
        private boolean begun;

        Reading(TopicPartition of, ListOffsetsResult first, ListOffsetsResult last) {
            this.of = of;
            this.beginning = first.partitionResult(of);
            this.ending = last.partitionResult(of);
            this.end = ends.computeIfAbsent(of.partition(), partition -> new LogEnd(partition, keys));
        }

        boolean located() {
            return beginning.isDone() && ending.isDone();
        }

        void begin() throws InterruptedException, ExecutionException {
            end.begin(beginning.get().offset(), ending.get().offset());
            begun = true;
        }

        String whyNot() {
            return (begun ? "its last records did not come" : "its leader did not answer") + " in "
                    + LONGEST.toSeconds() + " s";
        }
    }

    /** @return whether all of them could be read */
    private boolean read(Set<Integer> wanted) throws InterruptedException {
        long began = highWater.sights();
        long until = System.nanoTime() + LONGEST.toNanos();
        List<Reading> open = new ArrayList<>();
        List<Reading> ended = new ArrayList<>();
        Admin admin = Admin.create(settings.admin("ends"));
        try (Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings.consumer("ends"))) {
            List<TopicPartition> events = wanted.stream().map(one -> new TopicPartition(Topics.EVENTS, one)).toList();
            ListOffsetsResult first = admin.listOffsets(specs(events, OffsetSpec.earliest()));
            ListOffsetsResult last = admin.listOffsets(specs(events, OffsetSpec.latest()));
            events.forEach(one -> open.add(new Reading(one, first, last)));
            while (!open.isEmpty() && System.nanoTime() - until < 0 && stopping.getCount() > 0) {
                locate(consumer, open);
                take(consumer, open);
                for (Reading one : List.copyOf(open)) {
                    if (one.begun && one.end.settled(at(consumer, one))) {
                        open.remove(one);
                        ended.add(one);
                        if (one.end.ours()) {
                            written = Written.BY_US;
                        }
                        if (written == Written.BY_US) {
                            report(one, began);
                        }
                    } else if (one.begun && one.end.wider(at(consumer, one))) {
                        consumer.seek(one.of, one.end.from());
                    }
                }
            }
            for (Reading one : open) {
                unread(one.of.partition(), one.whyNot());
            }
        } finally {
            // What a leader that cannot be reached has not said by now is not waited for.
            admin.close(Duration.ZERO);
        }
        if (written != Written.BY_US && !ended.isEmpty()) {
            written = ended.stream().allMatch(one -> one.end.empty()) ? Written.NOT_YET : Written.BY_OTHERS;
        }
        // Where nothing of ours was seen, only now it is known whether that is so for the keys' sake.
        ended.forEach(one -> report(one, began));
        return unread.isEmpty();
    }

    private static Map<TopicPartition, OffsetSpec> specs(List<TopicPartition> partitions, OffsetSpec spec) {
        Map<TopicPartition, OffsetSpec> specs = new HashMap<>();
        partitions.forEach(one -> specs.put(one, spec));
        return specs;
    }

    /** Those whose place the broker has told by now are read from there on. */
    private void locate(Consumer<byte[], byte[]> consumer, List<Reading> open) throws InterruptedException {
        List<Reading> located = new ArrayList<>();
        for (Reading one : List.copyOf(open)) {
            if (!one.begun && one.located()) {
                try {
                    one.begin();
                    located.add(one);
                } catch (ExecutionException e) {
                    // The others need not wait for it: it is asked again with the next reading.
                    open.remove(one);
                    unread(one.of.partition(), String.valueOf(e.getCause()));
                }
            }
        }
        if (!located.isEmpty()) {
            Set<TopicPartition> assigned = new HashSet<>(consumer.assignment());
            located.forEach(one -> assigned.add(one.of));
            consumer.assign(assigned);
            located.forEach(one -> consumer.seek(one.of, one.end.from()));
        }
    }

    private void take(Consumer<byte[], byte[]> consumer, List<Reading> open) throws InterruptedException {
        if (consumer.assignment().isEmpty()) {
            TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
            return;
        }
        Map<TopicPartition, Reading> readings = open.stream().collect(Collectors.toMap(one -> one.of, one -> one));
        try {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                take(readings, new TopicPartition(record.topic(), record.partition()), record.offset(), record(record));
            }
        } catch (KafkaException e) {
            Undecodable passed = Undecodable.passed(consumer, e).orElseThrow(() -> e);
            take(readings, passed.partition(), passed.offset(), LogRecord.unreadable(passed.why()));
        }
    }

    private static void take(Map<TopicPartition, Reading> readings, TopicPartition from, long offset,
            LogRecord record) {
        Reading reading = readings.get(from);
        if (reading != null) {
            reading.end.take(offset, record);
        }
    }

    private static LogRecord record(ConsumerRecord<byte[], byte[]> record) {
        TreeMap<String, byte[]> headers = new TreeMap<>();
        for (Header header : record.headers()) {
            headers.put(header.key(), header.value());
        }
        return new LogRecord(record.key(), record.value(), record.timestamp(), headers);
    }

    private static long at(Consumer<byte[], byte[]> consumer, Reading one) {
        return consumer.position(one.of);
    }

    /** Says that a partition's end is known, unless it only looks empty for want of the right keys. */
    private void report(Reading one, long began) {
        int partition = one.of.partition();
        switch (written) {
            case BY_OTHERS -> unread(partition,
                    "none of the log's last records was written with this gateway's keys");
            case NOT_READ -> {
                // Said once it is known whether the keys are right.
            }
            case BY_US, NOT_YET -> {
                if (one.end.known()) {
                    highWater.seen(partition, one.end.sequence());
                    highWater.endRead(partition, began);
                    unread.remove(partition);
                } else {
                    unread(partition, "none of its last " + LogEnd.LAST_LOOK + " records was written by a worker of"
                            + " this cluster; see which with: java -jar sync-worker.jar verify-log");
                }
            }
        }
    }

    private void unread(int partition, String why) {
        highWater.endUnread(partition, why);
        if (!why.equals(unread.put(partition, why))) {
            log.debug("the end of {}-{} is not known: {}", Topics.EVENTS, partition, why);
        }
    }

    @Override
    public void close() {
        stopping.countDown();
        thread.interrupt();
        try {
            boolean unused = thread.join(LONGEST);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
