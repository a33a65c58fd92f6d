package io.syncline.worker.connection;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.Topics;
import io.syncline.worker.start.Room;
import io.syncline.worker.start.TopicKeeper;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** The connection room as the worker's wiring sees it. */
public final class ConnectionRoom implements Room {

    /** No event has cause to be larger, whatever the topic takes. */
    private static final int MOST_EVENT_BYTES = 1024 * 1024;

    private final DataSource database;
    private final CredentialKeys keys;
    private final TopicKeeper topics;
    private final Settings settings;
    private final Map<String, Object> kafka;
    private final OutcomeJanitor janitor;
    private final WorkerPresence presence;
    private volatile @Nullable ConnectionRequestListener listener;
    private volatile @Nullable ExpiryClock clock;

    /**
     * @param worker            this worker's name
     * @param partitions        of requests and events
     * @param sessionTimeout    after it, a worker that is not heard of loses its partitions
     * @param heartbeatInterval how often a worker is heard of
     */
    public record Settings(String worker, int partitions, Duration sessionTimeout, Duration heartbeatInterval) {}

    /** @param kafka client settings: servers, security */
    public ConnectionRoom(DataSource database, CredentialKeys keys, TopicKeeper topics, Map<String, Object> kafka,
            Settings settings) {
        this.database = database;
        this.keys = keys;
        this.topics = topics;
        this.kafka = Map.copyOf(kafka);
        this.settings = settings;
        this.janitor = new OutcomeJanitor(database);
        this.presence = new WorkerPresence(database, settings.worker(), settings.sessionTimeout(),
                () -> partitions().values(), this::trouble);
    }

    @Override
    public String name() {
        return "connection";
    }

    @Override
    public void open() {
        int maxEventBytes = Math.min(topics.maxMessageBytes(Topics.EVENTS), MOST_EVENT_BYTES);
        NoArgGenerator ids = Generators.timeBasedEpochGenerator();
        ConnectionStore store = new PostgresConnectionStore(database);
        KafkaClients clients = new KafkaClients(kafka, settings.worker(), settings.sessionTimeout(),
                settings.heartbeatInterval());
        ConnectionRequestListener opened = new ConnectionRequestListener(clients, keys,
                new ConnectionProcessor(store, keys, ids::generate, maxEventBytes),
                new PartitionTakeover(store, keys, settings.worker(), ids::generate), settings.partitions(),
                maxEventBytes);
        listener = opened;
        opened.start();
        janitor.start();
        ExpiryClock ticking = new ExpiryClock(database,
                new RenewedProducer("requests of its own", clients::askers, KafkaClients.ASKED_DELIVERY,
                        System::nanoTime),
                key -> Utils.toPositive(Utils.murmur2(key)) % settings.partitions(), this::owns, ids::generate);
        clock = ticking;
        ticking.start();
        presence.start();
    }

    private boolean owns(int partition) {
        PartitionStatus status = partitions().get(partition);
        return status != null && status.kind() == PartitionStatus.Kind.OWNED;
    }

    @Override
    public void close() {
        ExpiryClock ticking = clock;
        if (ticking != null) {
            ticking.close();
        }
        ConnectionRequestListener opened = listener;
        if (opened != null) {
            opened.close();
        }
        janitor.close();
        presence.close();
    }

    /** What this worker is to each partition that the group gave it. */
    public Map<Integer, PartitionStatus> partitions() {
        ConnectionRequestListener opened = listener;
        return opened == null ? Map.of() : opened.partitions();
    }

    /** What keeps requests from being decided, if anything does. */
    private @Nullable String trouble() {
        ConnectionRequestListener opened = listener;
        return opened == null ? "not open yet" : opened.trouble();
    }
}
