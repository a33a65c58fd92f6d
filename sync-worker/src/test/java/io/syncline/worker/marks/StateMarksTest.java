package io.syncline.worker.marks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Numbers that are never given twice, whoever asks, and whatever the state database says. */
class StateMarksTest {

    private final InMemoryMarksLog log = new InMemoryMarksLog();
    private final StateMarks marks = new StateMarks(log, "here/1");
    private final StateMarks others = new StateMarks(log, "there/2");

    @Test
    void epochs_growWhateverTheStateDatabaseSays() {
        assertThat(marks.nextEpoch(500).number()).isEqualTo(501);
        assertThat(marks.nextEpoch(3).number()).isEqualTo(502);
        assertThat(marks.nextEpoch(502).number()).isEqualTo(503);
        assertThat(marks.nextEpoch(900).number()).isEqualTo(901);
    }

    @Test
    void twoThatReadTheSameEnd_getTwoEpochs() {
        long[] theirs = new long[1];
        log.beforeNextAppend(() -> theirs[0] = others.nextEpoch(0).number());
        assertThat(marks.nextEpoch(0).number()).isEqualTo(2);
        assertThat(theirs[0]).isEqualTo(1);
    }

    @Test
    void oneThatIsSlow_getsNoEpochBelowThatOfAnother() {
        log.beforeNextAppend(() -> {
            others.nextEpoch(0);
            others.nextEpoch(0);
            others.begun(2);
        });
        assertThat(marks.nextEpoch(0).number()).isEqualTo(3);
    }

    @Test
    void manyAtOnce_eachGetsItsOwn() throws Exception {
        Set<Long> given = new HashSet<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<Long>> asked = threads.invokeAll(IntStream.range(0, 40)
                    .<Callable<Long>>mapToObj(i -> () -> new StateMarks(log, "worker/" + i).nextEpoch(7).number())
                    .toList());
            for (Future<Long> one : asked) {
                assertThat(given.add(one.get())).isTrue();
            }
        }
        assertThat(given).hasSize(40).allMatch(epoch -> epoch > 7);
    }

    /** A worker that has been frozen writes what it was about to write. */
    @Test
    void aNumberThatIsWrittenLate_hidesNoNewerOne_alsoOnceCompacted() {
        marks.generations(Map.of("t", 7_000_002L));
        marks.givenUp("t", 7_000_002);
        marks.changes(900);
        marks.distrust(8, "restored");
        others.generations(Map.of("t", 5_000_001L));
        others.givenUp("t", 5_000_001);
        others.changes(800);
        others.distrust(3, "");
        log.compact();
        Marks found = marks.read();
        assertThat(found.generation("t")).isEqualTo(7_000_002);
        assertThat(found.givenUp("t")).isEqualTo(7_000_002);
        assertThat(found.changes()).isEqualTo(900);
        assertThat(found.distrust()).contains(new Marks.Distrust(8, "restored"));
    }

    @Test
    void whatIsSaidByNewerNumbers_isDropped() {
        for (int i = 1; i <= 50; i++) {
            marks.begun(marks.nextEpoch(0).number());
            marks.generations(Map.of("t", i * 1_000_000L, "u", i * 1_000_000L + 1));
            marks.changes(i * 1000);
        }
        log.compact();
        assertThat(log.size()).isLessThan(8);
        Marks found = marks.read();
        assertThat(found.epoch()).isEqualTo(50);
        assertThat(found.begun()).isEqualTo(50);
        assertThat(found.generation("u")).isEqualTo(50_000_001);
        assertThat(found.changes()).isEqualTo(50_000);
    }

    @Test
    void whatNoWorkerHasWritten_isPassedOver() {
        marks.changes(10);
        Marks found = log.read(MarksLog.END);
        for (String key : List.of("", "epoch", "epoch/", "epoch/-1", "epoch/x", "epoch/01", "epoch/4000000000001",
                "changes/9223372036854775807", "changes/99999999999999999999", "generation/t", "other/1",
                "epoch/1/2")) {
            found.apply(key, "x");
        }
        found.apply("distrust/3", "not json");
        assertThat(found.epoch()).isZero();
        assertThat(found.changes()).isEqualTo(10);
        assertThat(found.topics()).isEmpty();
        assertThat(found.distrust()).contains(new Marks.Distrust(3, ""));
    }

    @Test
    void beyondTheLastNumber_thereIsNone() {
        assertThatThrownBy(() -> marks.nextEpoch(Mark.MOST_EPOCH)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("there is none beyond");
    }
}
