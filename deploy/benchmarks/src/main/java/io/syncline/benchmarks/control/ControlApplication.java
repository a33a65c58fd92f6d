package io.syncline.benchmarks.control;

import com.zaxxer.hikari.HikariDataSource;
import io.syncline.gateway.http.BoundedLog;
import io.syncline.gateway.http.CallFields;
import io.syncline.gateway.http.PeerAnswer;
import io.syncline.gateway.http.PeerCall;
import io.syncline.gateway.http.PeerHandler;
import io.syncline.gateway.http.PeerRefusal;
import io.syncline.gateway.http.PeerRoutes;
import io.syncline.gateway.state.HighWater;
import io.syncline.gateway.state.Servers;
import io.syncline.gateway.state.StateDatabase;
import io.syncline.model.api.SyncPaths;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.LoggerFactory;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.ServerResponse;

/**
 * The gateway's own front (Tomcat, virtual threads, routes, body parsing, the fields of the call, the same settings file)
 * with the least behind it: one record produced and acknowledged, or one row selected.
 */
@SpringBootConfiguration
@EnableAutoConfiguration
public class ControlApplication {

    public static final String PREFIX = "control";
    /** Selects one row by its key. */
    public static final String SELECT = "/select";

    private static final String TOPIC = "benchmarks.control";
    private static final int PARTITIONS = 4;
    private static final int POOL = 16;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    public static SpringApplicationBuilder application() {
        return new SpringApplicationBuilder(ControlApplication.class).properties("spring.config.name=gateway",
                // Its readiness group names the gateway's own indicators.
                "management.endpoint.health.validate-group-membership=false");
    }

    @Bean(destroyMethod = "close")
    Producer<byte[], byte[]> producer(KafkaProperties kafka) {
        makeTopic(kafka.buildAdminProperties());
        Map<String, Object> settings = new HashMap<>(kafka.buildProducerProperties());
        // The gateway's own, for its requests.
        settings.put(ProducerConfig.CLIENT_ID_CONFIG, "control");
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        settings.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static void makeTopic(Map<String, Object> settings) {
        try (Admin admin = Admin.create(settings)) {
            admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1)))
                    .all()
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof TopicExistsException)) {
                throw new IllegalStateException("the control's topic cannot be made: " + e.getCause(), e);
            }
        } catch (InterruptedException | TimeoutException e) {
            throw new IllegalStateException("the control's topic cannot be made: " + e, e);
        }
    }

    /** The gateway's own kind of pool. */
    @Bean(destroyMethod = "close")
    HikariDataSource database(Environment environment) {
        return new StateDatabase(environment.getProperty("spring.datasource.url"),
                environment.getProperty("spring.datasource.username"),
                environment.getProperty("spring.datasource.password"), new Servers(new HighWater(PARTITIONS)))
                .pool("control", POOL, PATIENCE);
    }

    @Bean
    RouterFunction<ServerResponse> routes(Producer<byte[], byte[]> producer, DataSource database) {
        BoundedLog log = new BoundedLog(LoggerFactory.getLogger(ControlApplication.class), System::nanoTime);
        return new PeerRoutes(PREFIX, UUID::randomUUID, log)
                .post(SyncPaths.REGISTER_CONNECTION, new Produce(producer))
                .post(SELECT, new SelectOne(database))
                .function();
    }

    private record Registered(boolean success, String message, String connectionStatus, UUID connectionUuid) {}

    private record Found(boolean success, boolean exists) {}

    /** Reads a registration, appends it, waits for the acknowledgement, answers. */
    private record Produce(Producer<byte[], byte[]> producer) implements PeerHandler {

        @Override
        public PeerAnswer answer(PeerCall call) throws Exception {
            CallFields fields = new CallFields(call.body());
            String url = fields.text("sender_url", 255);
            fields.text("connection_name");
            fields.text("auth_token", 255);
            fields.optionalText("password");
            Optional<PeerRefusal> refusal = fields.refusal();
            if (refusal.isPresent()) {
                return PeerAnswer.refused(refusal.get());
            }
            byte[] value = call.body().toString().getBytes(StandardCharsets.UTF_8);
            producer.send(new ProducerRecord<>(TOPIC, url.getBytes(StandardCharsets.UTF_8), value))
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            return PeerAnswer.ok(new Registered(true, "Connection registered and activated", "active", call.id()));
        }
    }

    /** Reads a look-up, selects one row by its primary key, answers. */
    private record SelectOne(DataSource database) implements PeerHandler {

        @Override
        public PeerAnswer answer(PeerCall call) throws SQLException {
            CallFields fields = new CallFields(call.body());
            String url = fields.text("url", 255);
            String direction = fields.text("direction");
            fields.text("auth_token_hash");
            Optional<PeerRefusal> refusal = fields.refusal();
            if (refusal.isPresent()) {
                return PeerAnswer.refused(refusal.get());
            }
            try (Connection connection = database.getConnection();
                    PreparedStatement select = connection.prepareStatement(
                            "SELECT uuid FROM syncline.connection WHERE site_url = ? AND direction = ?")) {
                select.setString(1, url);
                select.setString(2, direction);
                try (ResultSet row = select.executeQuery()) {
                    return row.next() ? PeerAnswer.ok(new Found(true, true))
                            : PeerAnswer.refused(PeerRefusal.Known.NOTHING_EXISTS);
                }
            }
        }
    }
}
