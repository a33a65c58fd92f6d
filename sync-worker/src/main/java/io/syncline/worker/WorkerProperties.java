package io.syncline.worker;

import io.syncline.model.property.PropertyNames;
import io.syncline.worker.capture.CaptureProperties;
import io.syncline.worker.capture.SourceProperties;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/** The worker's own settings; {@code worker.yml} has a comment for each. */
@ConfigurationProperties("syncline")
public record WorkerProperties(
        @DefaultValue Credentials credentials,
        @DefaultValue Topics topics,
        @DefaultValue Worker worker,
        @DefaultValue Replica replica) {

    /** What of the properties is read here, these and those of the rooms. */
    public static PropertyNames names() {
        return new PropertyNames().with("syncline", WorkerProperties.class)
                .with("syncline.source", SourceProperties.class)
                .with("syncline.capture", CaptureProperties.class);
    }

    /** @param tombstonesKept for so long a peer can be told what was deleted since its last pull */
    public record Replica(@DefaultValue("7d") Duration tombstonesKept) {

        public Replica {
            if (tombstonesKept.compareTo(Duration.ofMinutes(1)) < 0) {
                throw new IllegalArgumentException(
                        "syncline.replica.tombstones-kept is " + tombstonesKept + ", must be a minute or more");
            }
        }
    }

    /** @param keyFile the keys of the cluster, the same for every gateway and worker */
    public record Credentials(@Nullable Path keyFile) {}

    /**
     * @param partitions  of requests, replies and events: fixed when the cluster is made
     * @param replication copies of each record, on as many brokers
     */
    public record Topics(@DefaultValue("4") int partitions, @DefaultValue("1") int replication) {

        public Topics {
            if (partitions < 1) {
                throw new IllegalArgumentException(
                        "syncline.topics.partitions is " + partitions + ", must be 1 or more");
            }
            if (replication < 1) {
                throw new IllegalArgumentException(
                        "syncline.topics.replication is " + replication + ", must be 1 or more");
            }
        }
    }

    /**
     * @param name              what this worker is called in fences, in the log and by the broker
     * @param sessionTimeout    after it, a worker that is not heard of loses its partitions
     * @param heartbeatInterval how often a worker is heard of; a third of that if not given
     */
    public record Worker(
            @Nullable String name,
            @DefaultValue("10s") Duration sessionTimeout,
            @Nullable Duration heartbeatInterval) {

        public Worker {
            if (heartbeatInterval != null && heartbeatInterval.compareTo(sessionTimeout) >= 0) {
                throw new IllegalArgumentException(
                        "syncline.worker.heartbeat-interval is " + heartbeatInterval.toMillis()
                                + " ms, must be less than syncline.worker.session-timeout (" + sessionTimeout.toMillis()
                                + " ms)");
            }
        }

        Duration heartbeat() {
            return heartbeatInterval == null ? sessionTimeout.dividedBy(3) : heartbeatInterval;
        }

        String nameOrDefault() {
            return name == null || name.isBlank() ? host() + "-" + ManagementFactory.getRuntimeMXBean().getPid() : name;
        }

        private static String host() {
            try {
                return InetAddress.getLocalHost().getHostName();
            } catch (UnknownHostException e) {
                return "worker";
            }
        }
    }
}
