package io.syncline.worker.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.credential.CredentialKeys;
import io.syncline.worker.connection.SimulatedSite.Happened;
import org.junit.jupiter.api.Test;

/**
 * Promises 1, 2 and 4 under interleavings that processes would take years to show: workers killed or frozen at every point of
 * deciding, publishing and taking over, two of them at once, sends and commits of unknown end, a database that falls back to
 * an earlier state. Each seed is one history; a failure names its seed and prints its steps.
 */
class InterleavingsTest {

    private static final CredentialKeys KEYS = Fixtures.newKeys();
    private static final int HISTORIES = Integer.getInteger("syncline.histories", 60);
    private static final long FIRST_SEED = Long.getLong("syncline.seed", 1);

    @Test
    void oneWorkerWithoutFaults() {
        histories(20, seed -> new SimulatedSite(seed, KEYS, 60, 0, false), "a");
    }

    @Test
    void twoWorkersWhoBothBelieveThePartitionTheirs() {
        histories(HISTORIES, seed -> new SimulatedSite(seed, KEYS, 40, 0, false), "a", "b");
    }

    @Test
    void workersKilledAndFrozenAnywhere_sendsAndCommitsOfUnknownEnd() {
        histories(HISTORIES, seed -> new SimulatedSite(seed, KEYS, 40, 4, false), "a", "b");
    }

    @Test
    void theSameWithADatabaseThatFallsBackToAnEarlierState() {
        histories(HISTORIES, seed -> new SimulatedSite(seed, KEYS, 40, 3, true), "a", "b");
    }

    @Test
    void theSameWithAStrangerWhoWritesIntoTheLog() {
        Happened all = histories(HISTORIES,
                seed -> new SimulatedSite(seed, KEYS, 40, 3, true, SimulatedSite.Strays.ANY), "a", "b");
        assertThat(all.foreign()).isGreaterThan(HISTORIES);
    }

    @Test
    void aStrangerAlone_costsNoTakeover() {
        Happened all = histories(20,
                seed -> new SimulatedSite(seed, KEYS, 40, 0, false, SimulatedSite.Strays.BUT_FENCES), "a");
        assertThat(all.strangeOffsets()).isZero();
        // The worker's own, and the last one's.
        assertThat(all.takeovers()).isEqualTo(40);
        assertThat(all.foreign()).isGreaterThan(20);
    }

    @FunctionalInterface
    private interface Making {

        SimulatedSite site(long seed);
    }

    private static Happened histories(int count, Making making, String... workers) {
        Happened all = new Happened(0, 0, 0, 0, 0, 0);
        for (long seed = FIRST_SEED; seed < FIRST_SEED + count; seed++) {
            SimulatedSite site = making.site(seed);
            try {
                for (String worker : workers) {
                    site.startWorker(worker);
                }
                site.run();
                site.calm();
                site.startWorker("last");
                site.run();
                site.verify();
                all = all.plus(site.happened());
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("replay with -Dsyncline.histories=1 -Dsyncline.seed=" + seed + " ("
                        + site.summary() + ")\n" + site.interleaving.trace(), e);
            }
        }
        System.out.println(all);
        return all;
    }
}
