package io.syncline.worker.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.Refusal;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.ReplyRecord;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** No reply leaves before its partition's events so far are acknowledged where they belong. */
class ConnectionPublisherTest {

    private static final CredentialKeys KEYS = Fixtures.newKeys();
    private static final long FENCE = 10;

    private final Deque<Callback> sent = new ArrayDeque<>();
    private final List<UUID> replied = new ArrayList<>();
    private int producersMade;
    private int producersClosed;
    private final ConnectionPublisher publisher = new ConnectionPublisher(EventProducer::new, new ReplyProducer());
    private final ConnectionPublisher.Lane lane = publisher.open(0,
            new LogHead.Published(FENCE + 1, new ChainReader.Head(FENCE, 0, ChainReader.Head.start().hash())));

    @Test
    void repliesLeave_whenTheLastOfTheirEventsIsAcknowledged() {
        ReplyRecord first = reply();
        ReplyRecord second = reply();
        publisher.publish(lane, events(1, 2), List.of(first, second));
        assertThat(publisher.unacknowledged()).isEqualTo(2);
        acknowledge(11);
        assertThat(replied).isEmpty();
        acknowledge(12);
        assertThat(replied).containsExactly(first.requestId(), second.requestId());
        assertThat(publisher.unacknowledged()).isZero();
        assertThat(lane.published().offset()).isEqualTo(13);
        assertThat(lane.published().head().sequence()).isEqualTo(2);
        assertThat(lane.idle()).isTrue();
    }

    @Test
    void replyWithoutEvents_waitsForTheEventsBeforeIt() {
        ReplyRecord registered = reply();
        ReplyRecord refused = reply();
        publisher.publish(lane, events(1), List.of(registered));
        publisher.publish(lane, List.of(), List.of(refused));
        assertThat(replied).isEmpty();
        acknowledge(11);
        assertThat(replied).containsExactly(registered.requestId(), refused.requestId());
    }

    @Test
    void replyWithoutEvents_leavesAtOnce_ifNothingIsOnItsWay() {
        ReplyRecord refused = reply();
        publisher.publish(lane, List.of(), List.of(refused));
        assertThat(replied).containsExactly(refused.requestId());
    }

    @Test
    void strangeOffset_silencesTheLane_alsoForWhatFollowsInItsPlace() {
        publisher.publish(lane, events(1), List.of(reply()));
        publisher.publish(lane, events(2), List.of(reply()));
        acknowledge(12);
        assertThat(lane.broken()).hasValueSatisfying(why -> assertThat(why).contains("12").contains("11"));
        acknowledge(11);
        publisher.publish(lane, List.of(), List.of(reply()));
        assertThat(replied).isEmpty();
        assertThat(lane.published().offset()).as("what is known to be in the log").isEqualTo(11);
    }

    @Test
    void offsetThatTheBrokerDoesNotTell_isStrange() {
        // A duplicate that the broker no longer remembers is acknowledged without an offset.
        publisher.publish(lane, events(1), List.of(reply()));
        acknowledge(-1);
        assertThat(lane.broken()).isPresent();
        assertThat(replied).isEmpty();
    }

    @Test
    void failedSend_silencesTheLane() {
        publisher.publish(lane, events(1), List.of(reply()));
        sent.removeFirst().onCompletion(null, new KafkaException("no broker"));
        assertThat(lane.broken()).hasValueSatisfying(why -> assertThat(why).contains("no broker"));
        assertThat(replied).isEmpty();
        assertThat(publisher.unacknowledged()).isZero();
    }

    @Test
    void abandonedLane_saysNothingMore() {
        publisher.publish(lane, events(1), List.of(reply()));
        lane.abandon("the partition is not this worker's any more");
        acknowledge(11);
        assertThat(replied).isEmpty();
    }

    @Test
    void lanesDoNotWaitForEachOther() {
        ConnectionPublisher.Lane other = publisher.open(1, LogHead.Published.NOTHING);
        ReplyRecord reply = reply();
        publisher.publish(lane, events(1), List.of(reply()));
        publisher.publish(other, List.of(), List.of(reply));
        assertThat(replied).containsExactly(reply.requestId());
    }

    @Test
    void closedProducer_isReplacedByTheNextSend() {
        publisher.publish(lane, events(1), List.of());
        publisher.closeEventProducer();
        publisher.closeEventProducer();
        assertThat(producersClosed).isEqualTo(1);
        publisher.publish(publisher.open(0, LogHead.Published.NOTHING), events(1), List.of());
        assertThat(producersMade).isEqualTo(2);
    }

    // ---- helpers

    private void acknowledge(long offset) {
        sent.removeFirst().onCompletion(new RecordMetadata(new TopicPartition("events", 0), offset, 0, 0, 0, 0), null);
    }

    private static List<LoggedEvent> events(long... sequences) {
        List<LoggedEvent> events = new ArrayList<>();
        for (long sequence : sequences) {
            events.add(LoggedEvent.chain(0, FENCE, sequence, ChainReader.Head.start().hash(), UUID.randomUUID(),
                    UUID.randomUUID(), sequence, Fixtures.NOW, Fixtures.reported(PeerWish.ACTIVE), KEYS));
        }
        return events;
    }

    private static ReplyRecord reply() {
        return new ReplyRecord(UUID.randomUUID(), 0, 1, new Outcome.Refused(Refusal.NOT_FOUND));
    }

    private final class EventProducer extends MockProducer<byte[], byte[]> {

        EventProducer() {
            super(false, null, new ByteArraySerializer(), new ByteArraySerializer());
            producersMade++;
        }

        @Override
        public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, @Nullable Callback callback) {
            sent.add(callback);
            return new CompletableFuture<>();
        }

        @Override
        public void close(Duration timeout) {
            producersClosed++;
        }
    }

    private final class ReplyProducer extends MockProducer<byte[], byte[]> {

        ReplyProducer() {
            super(true, null, new ByteArraySerializer(), new ByteArraySerializer());
        }

        @Override
        public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, @Nullable Callback callback) {
            replied.add(ReplyRecord.read(record.value()).requestId());
            return new CompletableFuture<>();
        }
    }
}
