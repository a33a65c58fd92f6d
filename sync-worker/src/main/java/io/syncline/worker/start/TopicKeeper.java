package io.syncline.worker.start;

import io.syncline.model.log.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes topics before anything is produced to them, and verifies those that are there: the broker's defaults are not ours. */
public final class TopicKeeper {

    private static final Logger log = LoggerFactory.getLogger(TopicKeeper.class);

    private final Map<String, Object> kafka;
    private final short replication;
    private final Duration patience;

    /**
     * @param kafka       client settings: servers, security
     * @param replication copies of each record, for topics that are made
     * @param patience    how long the broker may take for one answer
     */
    public TopicKeeper(Map<String, Object> kafka, int replication, Duration patience) {
        this.kafka = Map.copyOf(kafka);
        this.replication = (short) replication;
        this.patience = patience;
    }

    /**
     * Makes the topics that are missing and verifies all of them.
     *
     * @throws StartRefusedException naming every setting that is wrong
     * @throws KafkaException        where the broker cannot be asked now
     */
    public void ensure(Collection<Topics.Spec> specs) {
        try (Admin admin = admin()) {
            Set<String> there = answer(admin.listTopics().names());
            List<NewTopic> missing = specs.stream()
                    .filter(spec -> !there.contains(spec.name()))
                    .map(this::newTopic)
                    .toList();
            admin.createTopics(missing).values().forEach((topic, made) -> {
                try {
                    answer(made);
                    log.info("Topic {} made", topic);
                } catch (TopicExistsException e) {
                    log.debug("another worker made {} meanwhile", topic);
                }
            });
            verify(admin, specs);
        }
    }

    /** The largest record that a topic takes. */
    public int maxMessageBytes(String topic) {
        try (Admin admin = admin()) {
            return Integer.parseInt(
                    value(config(admin, List.of(topic)).values().iterator().next(),
                            TopicConfig.MAX_MESSAGE_BYTES_CONFIG));
        }
    }

    private NewTopic newTopic(Topics.Spec spec) {
        Map<String, String> config = new TreeMap<>(spec.config());
        config.put(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, Integer.toString(minInSync()));
        return new NewTopic(spec.name(), spec.partitions(), replication).configs(config);
    }

    /** A majority: what is acknowledged survives the loss of the others. */
    private int minInSync() {
        return replication / 2 + 1;
    }

    private void verify(Admin admin, Collection<Topics.Spec> specs) {
        List<String> names = specs.stream().map(Topics.Spec::name).toList();
        Map<String, TopicDescription> descriptions = answer(admin.describeTopics(names).allTopicNames());
        Map<String, Config> configs = config(admin, names);
        List<String> wrong = new ArrayList<>();
        List<String> remedies = new ArrayList<>();
        for (Topics.Spec spec : specs) {
            TopicDescription description = descriptions.get(spec.name());
            Config config = configs.get(spec.name());
            if (description == null || config == null) {
                throw new KafkaException("the broker does not describe " + spec.name() + " yet");
            }
            int partitions = description.partitions().size();
            if (partitions != spec.partitions()) {
                wrong.add("topic " + spec.name() + ": partitions is " + partitions + ", must be " + spec.partitions());
                remedies.add(
                        "The number of partitions is fixed when the cluster is made: set syncline.topics.partitions"
                                + " to what the topics have, the same for requests, replies and events, in every gateway and worker");
            }
            new TreeMap<>(spec.config()).forEach((setting, wanted) -> {
                String found = value(config, setting);
                if (!wanted.equals(found)) {
                    wrong(wrong, remedies, spec, setting, found, wanted);
                }
            });
            String minInSync = value(config, TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG);
            if (Integer.parseInt(minInSync) < minInSync()) {
                wrong(wrong, remedies, spec, TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, minInSync,
                        Integer.toString(minInSync()));
            }
        }
        if (!wrong.isEmpty()) {
            throw new StartRefusedException(String.join("\n", wrong),
                    String.join("\n", remedies.stream().distinct().toList()));
        }
    }

    private static void wrong(List<String> wrong, List<String> remedies, Topics.Spec spec, String setting, String found,
            String wanted) {
        wrong.add("topic " + spec.name() + ": " + setting + " is '" + found + "', must be '" + wanted + "'");
        remedies.add("kafka-configs.sh --bootstrap-server <server> --alter --topic " + spec.name() + " --add-config "
                + setting + "=" + wanted);
    }

    private static String value(Config config, String setting) {
        ConfigEntry entry = config.get(setting);
        return entry == null || entry.value() == null ? "" : entry.value();
    }

    private Map<String, Config> config(Admin admin, List<String> topics) {
        List<ConfigResource> resources = topics.stream()
                .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic))
                .toList();
        Map<String, Config> configs = new HashMap<>();
        answer(admin.describeConfigs(resources).all())
                .forEach((resource, config) -> configs.put(resource.name(), config));
        return configs;
    }

    private Admin admin() {
        Map<String, Object> settings = new HashMap<>(kafka);
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) patience.toMillis());
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) patience.toMillis());
        return Admin.create(settings);
    }

    private static <T> T answer(Future<T> asked) {
        try {
            // Bounded: the client gives up after its own API time-out.
            return asked.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptException(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof KafkaException cause) {
                throw cause;
            }
            throw new KafkaException(e.getCause());
        }
    }
}
