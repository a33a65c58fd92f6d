package io.syncline.worker;

import com.zaxxer.hikari.HikariDataSource;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.Topics;
import io.syncline.worker.capture.Capture;
import io.syncline.worker.capture.CaptureProperties;
import io.syncline.worker.capture.SourceProperties;
import io.syncline.worker.connection.ConnectionRoom;
import io.syncline.worker.replica.ReplicaJanitor;
import io.syncline.worker.replica.TableChangeListener;
import io.syncline.worker.start.Room;
import io.syncline.worker.start.RoomOpener;
import io.syncline.worker.start.StartRefusedException;
import io.syncline.worker.start.StateDatabase;
import io.syncline.worker.start.TopicKeeper;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jdbc.autoconfigure.DataSourceProperties;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.ConfigurableEnvironment;

/** The worker's object graph: all of it, nothing is scanned or configured by itself. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({WorkerProperties.class, KafkaProperties.class, DataSourceProperties.class,
    SourceProperties.class, CaptureProperties.class})
public class WorkerConfiguration {

    private static final Duration BROKER_PATIENCE = Duration.ofSeconds(10);
    /** The loop's connection, and one for each takeover of a usual start. */
    private static final int CONNECTION_POOL = 5;
    private static final Duration CONNECTION_STATEMENT = Duration.ofSeconds(10);
    private static final int REPLICA_POOL = 3;
    /** The end of a generation removes what it did not bring, in one statement. */
    private static final Duration REPLICA_STATEMENT = Duration.ofMinutes(5);
    private static final int CAPTURE_POOL = 3;

    /** Said first: what does not start may be for want of a property that is misspelt. */
    @Bean
    UnknownProperties unknownProperties(ConfigurableEnvironment environment) {
        return new UnknownProperties(environment);
    }

    // ---- what every room stands on

    @Bean
    static CredentialKeys credentialKeys(WorkerProperties properties) {
        Path file = properties.credentials().keyFile();
        if (file == null) {
            throw new StartRefusedException("syncline.credentials.key-file is not set",
                    "Make a key file with: java -jar sync-worker.jar keys <file> and give the same file to every gateway and"
                            + " worker: --syncline.credentials.key-file=<file>");
        }
        try {
            return CredentialKeys.read(file);
        } catch (IllegalArgumentException e) {
            throw new StartRefusedException(String.valueOf(e.getMessage()),
                    "Without the cluster's keys a worker can neither write nor prove the log");
        }
    }

    /** Settings that every Kafka client of the worker begins with: {@code spring.kafka.*}, servers and security. */
    @Bean
    static KafkaSettings kafkaSettings(KafkaProperties properties) {
        Map<String, Object> settings = properties.buildAdminProperties();
        settings.remove("client.id");
        return new KafkaSettings(settings);
    }

    @Bean
    StateDatabase stateDatabase(DataSourceProperties properties) {
        return new StateDatabase(properties.getUrl(), properties.getUsername(), properties.getPassword());
    }

    @Bean
    TopicKeeper topicKeeper(KafkaSettings kafka, WorkerProperties properties) {
        return new TopicKeeper(kafka.settings(), properties.topics().replication(), BROKER_PATIENCE);
    }

    @Bean
    RoomOpener roomOpener(TopicKeeper topics, WorkerProperties properties, StateDatabase database, List<Room> rooms,
            ConfigurableApplicationContext context) {
        return new RoomOpener(topics, Topics.ofCluster(properties.topics().partitions()), database, rooms,
                () -> Thread.ofPlatform().name("stop").start(context::close));
    }

    // ---- worker.connection

    @Bean(defaultCandidate = false)
    HikariDataSource connectionPool(StateDatabase database) {
        // Prepared while a table was still empty, a plan that reads all of it would be kept while the table grows.
        return database.pool("connection", CONNECTION_POOL, CONNECTION_STATEMENT, "enable_seqscan = off");
    }

    @Bean
    ConnectionRoom connectionRoom(
            @Qualifier("connectionPool") HikariDataSource pool,
            CredentialKeys keys, TopicKeeper topics, KafkaSettings kafka, WorkerProperties properties) {
        WorkerProperties.Worker worker = properties.worker();
        return new ConnectionRoom(pool, keys, topics, kafka.settings(),
                new ConnectionRoom.Settings(worker.nameOrDefault(), properties.topics().partitions(),
                        worker.sessionTimeout(), worker.heartbeat()));
    }

    // ---- worker.replica

    @Bean(defaultCandidate = false)
    HikariDataSource replicaPool(StateDatabase database) {
        return database.pool("replica", REPLICA_POOL, REPLICA_STATEMENT);
    }

    @Bean
    Room replicaRoom(@Qualifier("replicaPool") HikariDataSource pool, KafkaSettings kafka,
            WorkerProperties properties) {
        TableChangeListener listener = new TableChangeListener(kafka.settings(), properties.worker().sessionTimeout(),
                pool, properties.worker().nameOrDefault());
        ReplicaJanitor janitor = new ReplicaJanitor(pool, properties.replica().tombstonesKept());
        return Room.of("replica", () -> {
            listener.start();
            janitor.start();
        }, () -> {
            janitor.close();
            try {
                listener.close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    // ---- worker.capture

    @Bean(defaultCandidate = false)
    HikariDataSource capturePool(StateDatabase database) {
        return database.pool("capture", CAPTURE_POOL, CONNECTION_STATEMENT);
    }

    @Bean
    Room captureRoom(SourceProperties source, CaptureProperties capture,
            @Qualifier("capturePool") HikariDataSource pool, KafkaSettings kafka, WorkerProperties properties) {
        Capture capturing = new Capture(source, capture, pool, kafka.settings(), properties.worker().sessionTimeout(),
                (short) properties.topics().replication());
        return Room.of("capture", capturing::start, capturing::stop);
    }
}
