package io.syncline.gateway.dispatch;

import io.syncline.gateway.state.Check;
import io.syncline.gateway.state.DatabaseClock;
import io.syncline.gateway.state.HighWater;
import io.syncline.gateway.state.Partitions;
import io.syncline.model.credential.CredentialKeys;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;

/** This gateway's place in the ring: what sends requests, follows replies and watches the broker, wired. */
public final class Dispatch implements AutoCloseable {

    private final BrokerWatch brokerWatch;
    private final LogEnds logEnds;
    private final ReplyTail replyTail;
    private final RequestProducer producer;
    private final RequestDispatcher dispatcher;
    private final LiveGateways gateways;
    private final Heartbeat heartbeat;

    /**
     * @param lookups    the state database, over connections of its own: outcomes are looked for when things are slow
     */
    public Dispatch(KafkaSettings settings, Duration replyTimeout, int maxPending, DataSource lookups,
            DatabaseClock clock, HighWater highWater, CredentialKeys keys) {
        PendingReplies pending = new PendingReplies(maxPending);
        int partitions = highWater.partitions();
        logEnds = new LogEnds(settings, keys, highWater);
        brokerWatch = new BrokerWatch(() -> Admin.create(settings.admin("watch")), partitions, logEnds::written);
        gateways = new LiveGateways(UUID.randomUUID().toString(), System::nanoTime);
        producer = new RequestProducer(() -> new KafkaProducer<>(settings.producer()), settings.deliveryTimeout(),
                System::nanoTime);
        replyTail = new ReplyTail(() -> new KafkaConsumer<>(settings.consumer("replies")), partitions, pending,
                highWater, this::heard);
        heartbeat = new Heartbeat(producer, gateways, replyTail);
        dispatcher = new RequestDispatcher(pending, producer, new OutcomeLookup(lookups, highWater), clock,
                this::usable, new Partitions(partitions), replyTimeout);
    }

    public void start() {
        logEnds.start();
        brokerWatch.start();
        replyTail.start();
        heartbeat.start();
    }

    private boolean heard(byte[] key, byte[] value) {
        return Heartbeat.take(key, value, gateways, heartbeat::soon);
    }

    /** How many gateways share what is limited for all of them. */
    public LiveGateways gateways() {
        return gateways;
    }

    public RequestDispatcher dispatcher() {
        return dispatcher;
    }

    /** Beats go out every other second, so that a producer that was refused is found to work again without a request. */
    public Check broker() {
        Check watched = brokerWatch.last();
        return watched instanceof Check.Down ? watched : producer.trouble().<Check>map(down -> down).orElse(watched);
    }

    public Check replies() {
        return replyTail.last();
    }

    /** Where the requests of each partition ended a moment ago, as far as it is known. */
    public Map<Integer, Long> requestEnds() {
        return brokerWatch.requestEnds();
    }

    private Check usable(int partition) {
        Check broker = brokerWatch.usable(partition);
        return broker instanceof Check.Down ? broker : replyTail.last();
    }

    @Override
    public void close() {
        heartbeat.close();
        brokerWatch.close();
        logEnds.close();
        replyTail.close();
        producer.close();
    }
}
