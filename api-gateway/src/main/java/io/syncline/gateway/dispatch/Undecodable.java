package io.syncline.gateway.dispatch;

import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * A record that the client cannot decode. It must not keep what lies behind it from being read.
 *
 * @param partition where it lies
 * @param offset    its own
 * @param why       what is wrong with it
 */
record Undecodable(TopicPartition partition, long offset, String why) {

    /**
     * Steps past the record that a poll failed at.
     *
     * @param failure of the poll
     * @return what was passed; empty where the poll failed for another cause, or does not name the partition
     */
    static Optional<Undecodable> passed(Consumer<?, ?> consumer, KafkaException failure) {
        String why = failure.getMessage();
        // The client throws a plain KafkaException for a batch or record of which a length or its compression is wrong.
        if (failure.getClass() != KafkaException.class || why == null
                || !why.contains("is invalid, cause:")
                        && !why.contains("Received exception when fetching the next record")
                        && !why.startsWith("Encountered corrupt message")) {
            return Optional.empty();
        }
        return consumer.assignment().stream().filter(one -> names(why, one)).findFirst().map(partition -> {
            long offset = consumer.position(partition);
            consumer.seek(partition, offset + 1);
            return new Undecodable(partition, offset, why);
        });
    }

    private static boolean names(String message, TopicPartition partition) {
        return Pattern.compile("(?<![\\w.-])" + Pattern.quote(partition.toString()) + "(?!\\d)")
                .matcher(message)
                .find();
    }
}
