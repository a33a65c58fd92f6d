package io.syncline.worker.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class MemoryShortageTest {

    private static final TopicPartition ONE = new TopicPartition("t", 0);
    private static final TopicPartition OTHER = new TopicPartition("t", 1);

    private final MemoryShortage shortage = new MemoryShortage();

    @Test
    void lessIsReadEachTime_downToOneRecordOfOnePartition() {
        assertThat(shortage.isThere()).isFalse();
        for (int expected : new int[]{50, 5}) {
            shortage.struck(0);
            assertThat(shortage.records()).isEqualTo(expected);
            assertThat(shortage.isThere()).isTrue();
            assertThat(shortage.isOneByOne()).isFalse();
        }
        for (int more = 0; more < 3; more++) {
            shortage.struck(0);
            assertThat(shortage.records()).isEqualTo(1);
            assertThat(shortage.isOneByOne()).isTrue();
        }
    }

    @Test
    void recordIsProvenNotToFit_theSecondTime_whateverHappensInOtherPartitions() {
        assertThat(shortage.isProvenAt(ONE, 7)).isFalse();
        assertThat(shortage.isProvenAt(OTHER, 7)).isFalse();
        assertThat(shortage.isProvenAt(ONE, 7)).isTrue();
        assertThat(shortage.isProvenAt(OTHER, 7)).isTrue();
        assertThat(shortage.isProvenAt(ONE, 7)).as("counted from the beginning").isFalse();
        assertThat(shortage.isProvenAt(ONE, 8)).as("another record").isFalse();
    }

    @Test
    void asMuchAsUsualIsReadAgain_tenMinutesAfterTheLastTime() {
        assertThat(shortage.isOver(Long.MAX_VALUE)).as("there was none").isFalse();
        shortage.struck(0);
        shortage.struck(TimeUnit.MINUTES.toNanos(1));
        assertThat(shortage.isProvenAt(ONE, 7)).isFalse();
        assertThat(shortage.isOver(TimeUnit.MINUTES.toNanos(11) - 1)).isFalse();
        assertThat(shortage.isOver(TimeUnit.MINUTES.toNanos(11))).isTrue();
        assertThat(shortage.records()).isEqualTo(MemoryShortage.MOST);
        assertThat(shortage.isProvenAt(ONE, 7)).isFalse();
    }
}
