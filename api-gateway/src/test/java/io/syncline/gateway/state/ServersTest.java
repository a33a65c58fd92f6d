package io.syncline.gateway.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** From what may be answered, given what is known of the log and of the servers. */
class ServersTest {

    private static final Instant FIRST = Instant.parse("2026-01-01T00:00:00Z");
    private static final Instant SECOND = Instant.parse("2026-01-01T01:00:00Z");

    private final HighWater highWater = new HighWater(2);
    private final Servers servers = new Servers(highWater);

    private void met(Instant server, long inZero, long inOne) {
        servers.met(new Heads(server, Map.of(0, inZero, 1, inOne), Map.of()), highWater.mark());
    }

    private void endRead(int partition, long sequence) {
        long began = highWater.sights();
        highWater.seen(partition, sequence);
        highWater.endRead(partition, began);
    }

    private Optional<String> doubt(Instant server, Integer... partitions) {
        return servers.view().doubt(server, List.of(partitions));
    }

    @Test
    void aServerThatWasNotMet_isNotAnsweredFrom() {
        assertThat(doubt(FIRST, 0)).contains("the state database is another server than before, or was started again");
    }

    @Test
    void aServer_needsTheEndsThatWereReadAfterItWasMet() {
        endRead(0, 3);
        met(FIRST, 3, 0);
        assertThat(doubt(FIRST, 0)).as("read before").isPresent();
        endRead(0, 3);
        met(FIRST, 3, 0);
        assertThat(doubt(FIRST, 0)).isEmpty();
        assertThat(doubt(FIRST, 0, 1)).hasValueSatisfying(why -> assertThat(why).contains("the end of partition 1"));
        assertThat(doubt(FIRST)).isEmpty();
    }

    /** The reading had begun before: it may have missed what was written in between, by workers on the server before. */
    @Test
    void aReadingThatHadBegunBefore_doesNotDo() {
        met(FIRST, 0, 0);
        long began = highWater.sights();
        met(SECOND, 0, 0);
        highWater.endRead(0, began);
        met(SECOND, 0, 0);
        assertThat(doubt(SECOND, 0)).isPresent();
        met(FIRST, 0, 0);
        assertThat(doubt(FIRST, 0)).isEmpty();
    }

    @Test
    void aServerThatIsBehind_isAnsweredFromWhenItHasCaughtUp() {
        met(FIRST, 3, 0);
        endRead(0, 5);
        met(FIRST, 4, 0);
        assertThat(doubt(FIRST, 0)).contains(
                "the state database is behind the event log: partition 0 has event 4, event 5 has been seen");
        met(FIRST, 5, 0);
        assertThat(doubt(FIRST, 0)).isEmpty();
        highWater.seen(0, 7);
        assertThat(doubt(FIRST, 0)).as("what comes after that was committed there").isEmpty();
        met(FIRST, 6, 0);
        assertThat(doubt(FIRST, 0)).as("unless it is seen not to have it").isPresent();
    }

    /** A view that was taken before a read says nothing of what was found out since: the read may be older. */
    @Test
    void aView_staysAsItWas() {
        met(FIRST, 5, 0);
        Servers.View before = servers.view();
        endRead(0, 5);
        met(FIRST, 5, 0);
        assertThat(before.doubt(FIRST, List.of(0))).isPresent();
        assertThat(doubt(FIRST, 0)).isEmpty();
    }

    @Test
    void whatTheDatabaseSaysOfTheLog_countsAsSeen() {
        servers.met(new Heads(FIRST, Map.of(0, 9L), Map.of(0, 8L)), highWater.mark());
        assertThat(highWater.published(0)).isEqualTo(8);
    }

    @Test
    void manyServers_areForgottenOneByOne_andMetAnew() {
        for (int i = 0; i < 40; i++) {
            met(FIRST.plusSeconds(i), 0, 0);
        }
        assertThat(highWater.sights()).isEqualTo(40);
        met(FIRST, 0, 0);
        assertThat(highWater.sights()).isEqualTo(41);
    }

    @Test
    void check_isLimitedToWhatCanBeAnswered_butNotWithoutTheSettings() {
        met(FIRST, 0, 0);
        assertThat(servers.check(FIRST, 1)).isInstanceOf(Check.Down.class);
        endRead(1, 0);
        met(FIRST, 0, 0);
        assertThat(servers.check(FIRST, 1)).isInstanceOf(Check.Limited.class);
        assertThat(servers.check(FIRST, 0)).isInstanceOf(Check.Down.class);
        endRead(0, 0);
        met(FIRST, 0, 0);
        assertThat(servers.check(FIRST, 1)).isEqualTo(new Check.Up());
    }

    @Test
    void ends_areWantedAtStart_forEachNewServer_andWhereSomethingIsAskedFor() throws Exception {
        assertThat(highWater.awaitWanted(Duration.ZERO)).containsExactly(0, 1);
        endRead(0, 0);
        endRead(1, 0);
        assertThat(highWater.awaitWanted(Duration.ZERO)).isEmpty();
        highWater.ask(1);
        assertThat(highWater.awaitWanted(Duration.ZERO)).containsExactly(1);
        assertThat(highWater.awaitWanted(Duration.ZERO)).isEmpty();
        met(FIRST, 0, 0);
        assertThat(highWater.awaitWanted(Duration.ZERO)).containsExactly(0, 1);
    }

    @Test
    void awaitPublished_waitsForWhatIsSeen() throws Exception {
        assertThat(highWater.awaitPublished(0, 5, Duration.ZERO)).isFalse();
        Thread later = Thread.ofVirtual().start(() -> highWater.seen(0, 5));
        assertThat(highWater.awaitPublished(0, 5, Duration.ofMinutes(1))).isTrue();
        later.join();
        highWater.seen(0, 4);
        highWater.seen(7, 1);
        assertThat(highWater.published(0)).isEqualTo(5);
    }
}
