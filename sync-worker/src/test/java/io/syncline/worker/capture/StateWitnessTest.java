package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.log.Topics;
import io.syncline.model.table.TableName;
import io.syncline.worker.marks.Marks;
import io.syncline.worker.marks.MarksUnderTest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class StateWitnessTest {

    private static final TableName ORDERS = new TableName("orders");

    private final Marks marks = MarksUnderTest.of("begun/7", "generation/" + Topics.table(ORDERS) + "/7000002",
            "given-up/" + Topics.table(ORDERS) + "/6000009");

    @Test
    void whatIsAsItWasWritten_lacksNothing() {
        assertThat(StateWitness.missing(marks, 7, List.of(remembered(7_000_002, true)))).isEmpty();
        assertThat(StateWitness.missing(marks, 9, List.of(remembered(9_000_001, false)))).isEmpty();
        assertThat(StateWitness.missing(MarksUnderTest.of(), 0, List.of())).isEmpty();
    }

    @Test
    void aClusterOfBeforeTheMarks_lacksNothing() {
        assertThat(StateWitness.missing(MarksUnderTest.of("epoch/501"), 500, List.of(remembered(62, true)))).isEmpty();
    }

    @Test
    void anOlderEpoch_isMissing() {
        assertThat(StateWitness.missing(marks, 6, List.of(remembered(7_000_002, true))))
                .hasValue("its capture epoch is 6, and was 7");
    }

    @Test
    void anOlderGeneration_isMissing() {
        assertThat(StateWitness.missing(marks, 7, List.of(remembered(7_000_001, true)))).hasValue(
                "the newest generation of table orders there is 7000001, and was 7000002");
    }

    @Test
    void aTableThatHadAGeneration_isMissing() {
        assertThat(StateWitness.missing(marks, 7, List.of())).hasValueSatisfying(
                missing -> assertThat(missing).startsWith("it knows no generation of ").endsWith("and had 7000002"));
    }

    @Test
    void aGenerationThatWasGivenUp_isMissingThat() {
        Marks givenUp = MarksUnderTest.of("begun/7", "generation/" + Topics.table(ORDERS) + "/7000002",
                "given-up/" + Topics.table(ORDERS) + "/7000002");
        assertThat(StateWitness.missing(givenUp, 7, List.of(remembered(7_000_002, false)))).isEmpty();
        assertThat(StateWitness.missing(givenUp, 7, List.of(remembered(7_000_002, true))))
                .hasValue("generation 7000002 of table orders is good there, and was given up");
    }

    private static CaptureStore.Remembered remembered(long generation, boolean complete) {
        return new CaptureStore.Remembered(ORDERS, Topics.table(ORDERS), generation, complete,
                PgSnapshot.parse("10:10:"), 1, "", false, Duration.ZERO);
    }
}
