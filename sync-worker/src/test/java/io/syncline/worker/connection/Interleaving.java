package io.syncline.worker.connection;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Runs several actors one at a time and switches between them at named points, as a seed says: the same seed is the same
 * interleaving. An actor can be killed or frozen at any point.
 */
final class Interleaving {

    /** Unwinds a killed actor; nothing catches it. */
    static final class Killed extends Error {

        private static final long serialVersionUID = 1L;

        Killed() {
            super("killed", null, false, false);
        }
    }

    final class Actor {

        private final String name;
        private final Semaphore go = new Semaphore(0);
        private final Thread thread;
        private boolean ended;
        private boolean killed;
        private long frozenUntil;
        private @Nullable Throwable failure;

        private Actor(String name, Runnable body) {
            this.name = name;
            this.thread = Thread.ofVirtual().unstarted(() -> {
                go.acquireUninterruptibly();
                try {
                    if (!killed) {
                        body.run();
                    }
                } catch (Killed e) {
                    // As asked.
                } catch (Throwable e) {
                    failure = e;
                } finally {
                    ended = true;
                    back.release();
                }
            });
        }

        /** Whether it holds what it holds without doing anything. */
        boolean idle() {
            return killed || ended || frozenUntil > step;
        }

        void freeze(int steps) {
            frozenUntil = step + steps;
        }

        void kill() {
            killed = true;
        }

        boolean ended() {
            return ended;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private final Random random;
    private final List<Actor> actors = new ArrayList<>();
    private final List<String> trace = new ArrayList<>();
    private final Semaphore back = new Semaphore(0);
    private @Nullable Actor running;
    private long step;

    Interleaving(long seed) {
        this.random = new Random(seed);
    }

    Random random() {
        return random;
    }

    Actor start(String name, Runnable body) {
        Actor actor = new Actor(name, body);
        actors.add(actor);
        actor.thread.start();
        return actor;
    }

    @Nullable
    Actor running() {
        return running;
    }

    /** A point at which others may run, and at which a worker may be stopped for good. */
    void point(String what) {
        Actor actor = running;
        if (actor == null) {
            return;
        }
        note(actor + ": " + what);
        back.release();
        actor.go.acquireUninterruptibly();
        if (actor.killed) {
            throw new Killed();
        }
    }

    void note(String what) {
        trace.add(step + " " + what);
        if (trace.size() > 4_000) {
            trace.removeFirst();
        }
    }

    /** Runs until every actor has ended; {@code between} may do what the world does by itself. */
    void run(Runnable between) {
        while (true) {
            between.run();
            List<Actor> alive = actors.stream().filter(actor -> !actor.ended).toList();
            if (alive.isEmpty()) {
                break;
            }
            if (step++ > 200_000) {
                throw new AssertionError("the actors do not end: " + alive);
            }
            List<Actor> able = alive.stream().filter(actor -> actor.killed || actor.frozenUntil <= step).toList();
            if (able.isEmpty()) {
                continue;
            }
            Actor next = able.get(random.nextInt(able.size()));
            running = next;
            next.go.release();
            back.acquireUninterruptibly();
            running = null;
            if (next.failure != null) {
                throw new AssertionError(next + " failed: " + next.failure, next.failure);
            }
        }
    }

    String trace() {
        return String.join("\n", trace);
    }
}
