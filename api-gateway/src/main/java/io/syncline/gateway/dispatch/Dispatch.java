package io.syncline.gateway.dispatch;

import io.syncline.gateway.state.Check;
import io.syncline.gateway.state.DatabaseClock;
import io.syncline.gateway.state.HighWater;
import io.syncline.model.credential.CredentialKeys;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;

/** This gateway's place in the ring: what sends requests, follows replies and watches the broker, wired. */
public final class Dispatch implements AutoCloseable {

    private final BrokerWatch brokerWatch;
    private final ReplyTail replyTail;
    private final RequestProducer producer;
    private final RequestDispatcher dispatcher;
    private final LiveGateways gateways;
    private final Heartbeat heartbeat;

    /**
     * @param partitions of requests and replies
     * @param lookups    the state database, over connections of its own: outcomes are looked for when things are slow
     */
    public Dispatch(KafkaSettings settings, int partitions, Duration replyTimeout, int maxPending, DataSource lookups,
            DatabaseClock clock, HighWater highWater, CredentialKeys keys) {
        PendingReplies pending = new PendingReplies(maxPending);
        brokerWatch = new BrokerWatch(settings, partitions, new LogEnds(settings, keys, highWater));
        gateways = new LiveGateways(UUID.randomUUID().toString(), System::nanoTime);
        producer = new RequestProducer(settings, partitions);
        replyTail = new ReplyTail(settings, partitions, pending, highWater, this::heard);
        heartbeat = new Heartbeat(producer, gateways, replyTail);
        dispatcher = new RequestDispatcher(pending, producer, new OutcomeLookup(lookups), clock, this::usable,
                replyTimeout);
    }

    public void start() {
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

    public Check broker() {
        return brokerWatch.last();
    }

    public Check replies() {
        return replyTail.last();
    }

    /** Where the requests of each partition ended a moment ago, as far as it is known. */
    public Map<Integer, Long> requestEnds() {
        return brokerWatch.requestEnds();
    }

    private Check usable() {
        Check broker = brokerWatch.last();
        return broker instanceof Check.Down ? broker : replyTail.last();
    }

    @Override
    public void close() {
        heartbeat.close();
        brokerWatch.close();
        replyTail.close();
        producer.close();
    }
}
