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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
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
    private static final Duration UNHEARD = Duration.ofSeconds(40);

    private final Deque<Callback> sent = new ArrayDeque<>();
    private final List<UUID> replied = new ArrayList<>();
    private int producersMade;
    private int producersClosed;
    /** What lies between, by the offset it begins at; there is a worker's record where it is not said. */
    private final Map<Long, Long> foreign = new HashMap<>();
    private final Deque<Runnable> looks = new ArrayDeque<>();
    private final AtomicLong nanoTime = new AtomicLong();
    private final ConnectionPublisher publisher = new ConnectionPublisher(EventProducer::new, replies(),
            (partition, from, to) -> foreign.containsKey(from) ? OptionalLong.of(foreign.get(from))
                    : OptionalLong.empty(),
            looks::add, nanoTime::get);
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
        look();
        assertThat(lane.broken()).hasValueSatisfying(why -> assertThat(why).contains("12").contains("11"));
        acknowledge(11);
        publisher.publish(lane, List.of(), List.of(reply()));
        assertThat(replied).isEmpty();
        assertThat(lane.published().offset()).as("what is known to be in the log").isEqualTo(11);
    }

    @Test
    void foreignRecordsBetween_arePassedOver_andRepliesLeaveInOrder() {
        ReplyRecord first = reply();
        ReplyRecord second = reply();
        ReplyRecord third = reply();
        publisher.publish(lane, events(1), List.of(first));
        publisher.publish(lane, events(2), List.of(second));
        publisher.publish(lane, events(3), List.of(third));
        foreign.put(11L, 2L);
        foreign.put(15L, 1L);
        acknowledge(13);
        acknowledge(14);
        acknowledge(16);
        assertThat(replied).as("before it is known what lies between").isEmpty();
        assertThat(lane.published().offset()).isEqualTo(11);
        look();
        assertThat(replied).containsExactly(first.requestId(), second.requestId());
        look();
        assertThat(replied).containsExactly(first.requestId(), second.requestId(), third.requestId());
        assertThat(lane.foreign()).isEqualTo(3);
        assertThat(lane.published().offset()).isEqualTo(17);
        assertThat(lane.broken()).isEmpty();
    }

    @Test
    void workersRecordBetween_silencesTheLane_thoughForeignOnesWerePassedBefore() {
        publisher.publish(lane, events(1), List.of(reply()));
        publisher.publish(lane, events(2), List.of(reply()));
        foreign.put(11L, 1L);
        acknowledge(12);
        acknowledge(14);
        look();
        assertThat(replied).hasSize(1);
        look();
        assertThat(lane.broken()).isPresent();
        assertThat(replied).hasSize(1);
    }

    @Test
    void laneThatIsAbandonedWhileItLooks_saysNothingMore() {
        publisher.publish(lane, events(1), List.of(reply()));
        foreign.put(11L, 1L);
        acknowledge(12);
        lane.abandon("the partition is not this worker's any more");
        look();
        assertThat(replied).isEmpty();
    }

    @Test
    void whatLiesBetweenAndCannotBeRead_silencesTheLane() {
        ConnectionPublisher unable = new ConnectionPublisher(EventProducer::new, replies(),
                (partition, from, to) -> {
                    throw new KafkaException("no broker");
                }, looks::add, nanoTime::get);
        ConnectionPublisher.Lane blind = unable.open(0,
                new LogHead.Published(FENCE + 1, new ChainReader.Head(FENCE, 0, ChainReader.Head.start().hash())));
        unable.publish(blind, events(1), List.of(reply()));
        acknowledge(12);
        look();
        assertThat(blind.broken()).hasValueSatisfying(why -> assertThat(why).contains("no broker"));
        assertThat(replied).isEmpty();
    }

    @Test
    void failedSend_closesItsProducer_beforeItSendsWhatFollows() {
        publisher.publish(lane, events(1), List.of(reply()));
        publisher.publish(lane, events(2), List.of(reply()));
        sent.removeFirst().onCompletion(null, new KafkaException("expired"));
        assertThat(producersClosed).isEqualTo(1);
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

    /** Its thread has ended with an Error: the events that it was given are never heard of. */
    @Test
    void producerThatSaysNothingAnyMore_isReplaced_andItsLanesAreBroken() {
        ConnectionPublisher.Lane other = publisher.open(1, LogHead.Published.NOTHING);
        ConnectionPublisher.Lane answered = publisher.open(2, LogHead.Published.NOTHING);
        publisher.publish(answered, events(1), List.of());
        sent.removeFirst()
                .onCompletion(new RecordMetadata(new TopicPartition("events", 2), 0, 0, 0, 0, 0), null);
        publisher.publish(lane, events(1), List.of(reply()));
        nanoTime.addAndGet(UNHEARD.toNanos());
        publisher.abandonUnheard();
        publisher.publish(other, events(1), List.of(reply()));
        assertThat(lane.broken()).as("while its producer may still say what became of it").isEmpty();
        nanoTime.addAndGet(1);
        publisher.abandonUnheard();
        assertThat(List.of(lane, other)).allSatisfy(
                one -> assertThat(one.broken()).hasValueSatisfying(why -> assertThat(why).contains("for 40 s")));
        assertThat(answered.broken()).isEmpty();
        assertThat(publisher.unacknowledged()).as("nothing waits for them").isZero();
        assertThat(producersMade).isEqualTo(1);
        publisher.publish(publisher.open(0, LogHead.Published.NOTHING), events(1), List.of());
        assertThat(producersMade).isEqualTo(2);
        assertThat(replied).isEmpty();
    }

    @Test
    void producerThatIsHeardOf_isKept_howeverLongItsEventsTookBefore() {
        publisher.publish(lane, events(1), List.of());
        nanoTime.addAndGet(UNHEARD.toNanos());
        acknowledge(11);
        nanoTime.addAndGet(UNHEARD.toNanos());
        publisher.abandonUnheard();
        publisher.publish(lane, events(2), List.of());
        publisher.abandonUnheard();
        assertThat(lane.broken()).isEmpty();
        assertThat(producersMade).isEqualTo(1);
    }

    // ---- helpers

    private RenewedProducer replies() {
        return new RenewedProducer("replies", ReplyProducer::new, KafkaClients.REPLY_DELIVERY, () -> 0);
    }

    private void look() {
        looks.removeFirst().run();
    }

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
