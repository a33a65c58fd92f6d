package io.syncline.worker.start;

import io.syncline.model.log.Topics;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Makes topics and schema, then opens the rooms. A broker or database that is away is waited for: the process lives, and
 * says what it waits for. A topic that is wrong stops the start.
 */
public final class RoomOpener implements SmartLifecycle {

    private static final Logger log = LoggerFactory.getLogger(RoomOpener.class);
    private static final Duration RETRY = Duration.ofSeconds(2);

    private final TopicKeeper topics;
    private final List<Topics.Spec> specs;
    private final StateDatabase database;
    private final List<Room> rooms;
    private final Runnable giveUp;
    private final Thread thread = Thread.ofPlatform().name("start").daemon().unstarted(this::openAll);
    private volatile @Nullable String waitingFor = "broker";
    private volatile boolean running;

    /** @param giveUp stops the worker, where its start turns out to be refused only later */
    public RoomOpener(TopicKeeper topics, List<Topics.Spec> specs, StateDatabase database, List<Room> rooms,
            Runnable giveUp) {
        this.topics = topics;
        this.specs = List.copyOf(specs);
        this.database = database;
        this.rooms = List.copyOf(rooms);
        this.giveUp = giveUp;
    }

    /** What keeps rooms from being opened, if anything does. */
    public @Nullable String waitingFor() {
        return waitingFor;
    }

    @Override
    public void start() {
        running = true;
        try {
            topics.ensure(specs);
        } catch (KafkaException e) {
            waiting("broker", e);
        }
        thread.start();
    }

    private void openAll() {
        try {
            until("broker", () -> topics.ensure(specs));
            until("state database", database::migrate);
            Deque<Room> closed = new ArrayDeque<>(rooms);
            while (running && !closed.isEmpty()) {
                Room room = closed.removeFirst();
                until(room.name(), room::open);
            }
            if (running) {
                waitingFor = null;
                log.info("Everything a worker needs is there; rooms open: {}", rooms.stream().map(Room::name).toList());
            }
        } catch (StartRefusedException e) {
            log.error("This worker stops: {}. {}", e.getMessage(), e.remedy());
            giveUp.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void until(String needed, Runnable attempt) throws InterruptedException {
        while (running) {
            try {
                attempt.run();
                return;
            } catch (StartRefusedException e) {
                throw e;
            } catch (RuntimeException e) {
                waiting(needed, e);
                Thread.sleep(RETRY);
            }
        }
    }

    private void waiting(String needed, RuntimeException why) {
        String text = needed + ": " + firstLine(why);
        if (!text.equals(waitingFor)) {
            log.warn("Waiting for {}; tried again every {} s", text, RETRY.toSeconds());
            log.debug("waiting", why);
        }
        waitingFor = text;
    }

    private static String firstLine(RuntimeException why) {
        Throwable deepest = why;
        while (deepest.getCause() != null) {
            deepest = deepest.getCause();
        }
        return String.valueOf(deepest.getMessage()).lines().findFirst().orElse(deepest.toString());
    }

    @Override
    public void stop() {
        log.info("This worker stops: its partitions, and the source if it captures it, go to others");
        running = false;
        thread.interrupt();
        try {
            thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (Room room : rooms.reversed()) {
            try {
                room.close();
            } catch (RuntimeException e) {
                log.warn("{} did not close in order: {}", room.name(), e.toString());
            }
        }
        log.info("This worker has stopped");
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
