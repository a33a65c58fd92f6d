package io.syncline.gateway.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.gateway.state.Check;
import io.syncline.model.log.Topics;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsResult;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.internals.KafkaFutureImpl;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What a gateway takes the broker for: as a whole, and for each partition of the requests. */
class BrokerWatchTest {

    private static final int PARTITIONS = 3;

    private final Set<Integer> unreachable = new HashSet<>();
    private final Set<Integer> leaderless = new HashSet<>();
    private final AtomicInteger made = new AtomicInteger();
    private final AtomicInteger closed = new AtomicInteger();
    /** Clients up to this one have a thread that has ended. */
    private int dead;
    private LogEnds.Written written = LogEnds.Written.BY_US;
    private final BrokerWatch watch = new BrokerWatch(this::client, PARTITIONS, () -> written);

    private static final class Described extends DescribeTopicsResult {
        Described(Map<String, KafkaFuture<TopicDescription>> topics) {
            super(null, topics);
        }
    }

    private Admin client() {
        int number = made.incrementAndGet();
        return (Admin) Proxy.newProxyInstance(Admin.class.getClassLoader(), new Class<?>[]{Admin.class},
                (self, method, arguments) -> switch (method.getName()) {
                    case "describeTopics" -> described((Collection<?>) arguments[0], number <= dead);
                    case "listOffsets" -> offsets((Map<?, ?>) arguments[0]);
                    case "close" -> closed.incrementAndGet();
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    private static <T> KafkaFuture<T> failed() {
        KafkaFutureImpl<T> future = new KafkaFutureImpl<>();
        future.completeExceptionally(new TimeoutException("The AdminClient thread has exited."));
        return future;
    }

    private DescribeTopicsResult described(Collection<?> topics, boolean isDead) {
        Map<String, KafkaFuture<TopicDescription>> all = new HashMap<>();
        for (Object topic : topics) {
            Node node = new Node(1, "k1", 9092);
            List<TopicPartitionInfo> partitions = IntStream.range(0, PARTITIONS)
                    .mapToObj(one -> new TopicPartitionInfo(one,
                            topic.equals(Topics.EVENTS) && leaderless.contains(one) ? null : node, List.of(node),
                            List.of(node)))
                    .toList();
            all.put((String) topic, isDead ? failed()
                    : KafkaFuture.completedFuture(new TopicDescription((String) topic, false, partitions)));
        }
        return new Described(all);
    }

    private ListOffsetsResult offsets(Map<?, ?> asked) {
        Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> all = new HashMap<>();
        for (Object one : asked.keySet()) {
            TopicPartition partition = (TopicPartition) one;
            all.put(partition, unreachable.contains(partition.partition()) ? failed()
                    : KafkaFuture.completedFuture(
                            new ListOffsetsResultInfo(100 + partition.partition(), 0, Optional.empty())));
        }
        return new ListOffsetsResult(all);
    }

    private void look(int times) {
        for (int i = 0; i < times; i++) {
            watch.look();
        }
    }

    @Test
    void allThere() {
        look(1);
        assertThat(watch.last()).isEqualTo(new Check.Up());
        assertThat(watch.requestEnds()).isEqualTo(Map.of(0, 100L, 1, 101L, 2, 102L));
    }

    @Test
    void oneLeaderThatCannotBeReached_keepsItsOwnSitesOnly() {
        look(1);
        unreachable.add(1);
        look(1);
        assertThat(watch.usable(1)).as("one vain look may be a moment's load").isEqualTo(new Check.Up());
        look(1);
        assertThat(watch.usable(1)).isInstanceOfSatisfying(Check.Down.class,
                down -> assertThat(down.cause()).contains(Topics.REQUESTS + "-1").contains("thread has exited"));
        assertThat(watch.usable(0)).isNotInstanceOf(Check.Down.class);
        assertThat(watch.usable(2)).isNotInstanceOf(Check.Down.class);
        assertThat(watch.last()).isInstanceOfSatisfying(Check.Limited.class,
                limited -> assertThat(limited.cause()).contains("some sites").contains(Topics.REQUESTS + "-1"));
        assertThat(watch.requestEnds()).containsOnlyKeys(0, 2);
        unreachable.clear();
        look(1);
        assertThat(watch.usable(1)).isEqualTo(new Check.Up());
    }

    @Test
    void whereEventsHaveNoLeader_nothingIsSent() {
        leaderless.add(2);
        look(1);
        assertThat(watch.usable(2)).isInstanceOfSatisfying(Check.Down.class,
                down -> assertThat(down.cause()).isEqualTo(Topics.EVENTS + "-2 has no leader"));
        assertThat(watch.usable(0)).isNotInstanceOf(Check.Down.class);
    }

    @Test
    void noLeaderAtAll_isTheBrokersFault() {
        look(1);
        unreachable.addAll(List.of(0, 1, 2));
        look(2);
        assertThat(watch.last()).isInstanceOf(Check.Down.class);
        assertThat(watch.usable(0)).isInstanceOf(Check.Down.class);
        assertThat(watch.requestEnds()).isEmpty();
    }

    @Test
    void aClientWhoseThreadHasEnded_isReplaced_andSaid() {
        dead = 1;
        look(2);
        assertThat(watch.last()).isInstanceOfSatisfying(Check.Down.class,
                down -> assertThat(down.cause()).contains("The AdminClient thread has exited."));
        look(1);
        assertThat(watch.last()).isInstanceOfSatisfying(Check.Down.class,
                down -> assertThat(down.cause()).contains("the client is replaced"));
        look(1);
        assertThat(watch.last()).isEqualTo(new Check.Up());
        assertThat(made).hasValue(2);
        Awaitility.await().until(() -> closed.get() == 1);
    }

    @Test
    void whereNoClientHelps_theyAreReplacedMoreAndMoreSeldom() {
        dead = Integer.MAX_VALUE;
        look(3 + 6 + 12);
        assertThat(made).hasValue(3);
        look(1);
        assertThat(made).hasValue(4);
    }

    @Test
    void theKeysOfAnotherCluster_orKeysThatAreNotKnownYet_letNothingBeSent() {
        written = LogEnds.Written.NOT_READ;
        look(1);
        assertThat(watch.usable(0)).isInstanceOf(Check.Down.class);
        written = LogEnds.Written.BY_OTHERS;
        look(1);
        assertThat(watch.usable(0)).isInstanceOfSatisfying(Check.Down.class,
                down -> assertThat(down.cause()).contains("this gateway's keys"));
        written = LogEnds.Written.NOT_YET;
        look(1);
        assertThat(watch.usable(0)).isEqualTo(new Check.Up());
    }
}
