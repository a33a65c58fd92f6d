package io.syncline.worker.capture;

import io.syncline.model.log.Topics;
import io.syncline.model.table.TableName;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The tables' topics: made before anything is produced to them, and verified when a capturer begins. */
final class TableTopics implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(TableTopics.class);

    private final Admin admin;
    private final CaptureStore store;
    private final int partitions;
    private final short replication;
    private final int mostBytes;

    /** Topics that have been verified, with their number of partitions. */
    private final Map<String, Integer> verified = new HashMap<>();

    /** @param maxRowBytes the largest row that is sent */
    TableTopics(Admin admin, CaptureStore store, int partitions, short replication, int maxRowBytes) {
        this.admin = admin;
        this.store = store;
        this.partitions = partitions;
        this.replication = replication;
        // Beside the row there are its key and headers.
        mostBytes = (int) Math.min(Integer.MAX_VALUE, maxRowBytes + (1L << 20));
    }

    /** Makes what is missing, verifies what is there, and gives each table's number of partitions. */
    Map<TableName, Integer> ensure(Collection<TableName> tables) throws ExecutionException, InterruptedException {
        List<TableName> unknown = tables.stream().filter(table -> !verified.containsKey(Topics.table(table))).toList();
        if (!unknown.isEmpty()) {
            Set<String> existing = existing();
            create(unknown.stream().filter(table -> !existing.contains(Topics.table(table))).toList());
            verify(unknown.stream().filter(table -> existing.contains(Topics.table(table))).toList());
        }
        Map<TableName, Integer> found = new HashMap<>();
        for (TableName table : tables) {
            Integer count = verified.get(Topics.table(table));
            if (count != null) {
                found.put(table, count);
            }
        }
        return found;
    }

    Set<String> existing() throws ExecutionException, InterruptedException {
        return admin.listTopics().names().get();
    }

    /** How many partitions a topic has that exists. */
    int partitions(String topic) throws ExecutionException, InterruptedException {
        return admin.describeTopics(List.of(topic))
                .topicNameValues()
                .values()
                .iterator()
                .next()
                .get()
                .partitions()
                .size();
    }

    private void create(List<TableName> tables) throws ExecutionException, InterruptedException {
        List<NewTopic> topics = tables.stream()
                .map(table -> Topics.ofTable(table, partitions))
                .map(spec -> new NewTopic(spec.name(), spec.partitions(), replication).configs(config(spec)))
                .toList();
        CreateTopicsResult result = admin.createTopics(topics);
        for (TableName table : tables) {
            String topic = Topics.table(table);
            try {
                store.topicMade(topic, result.topicId(topic).get().toString(), partitions);
                verified.put(topic, partitions);
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw e;
                }
                verify(List.of(table));
            }
        }
    }

    private Map<String, String> config(Topics.Spec spec) {
        Map<String, String> config = new HashMap<>(spec.config());
        config.put(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(mostBytes));
        return config;
    }

    /** Where the broker does not let us, its own bound is in force, and a larger row halts its table. */
    private void raise(ConfigResource topic, @Nullable Config config) throws InterruptedException {
        ConfigEntry entry = config == null ? null : config.get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
        if (entry == null || Integer.parseInt(entry.value()) >= mostBytes) {
            return;
        }
        AlterConfigOp set = new AlterConfigOp(
                new ConfigEntry(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(mostBytes)),
                AlterConfigOp.OpType.SET);
        try {
            admin.incrementalAlterConfigs(Map.of(topic, List.of(set))).all().get();
        } catch (ExecutionException e) {
            LOG.warn("Topic {}: {} is {}, and cannot be raised to {} for rows of syncline.capture.max-row-bytes: {}",
                    topic.name(),
                    TopicConfig.MAX_MESSAGE_BYTES_CONFIG, entry.value(), mostBytes, e.getMessage());
        }
    }

    private void verify(List<TableName> tables) throws ExecutionException, InterruptedException {
        if (tables.isEmpty()) {
            return;
        }
        List<String> names = tables.stream().map(Topics::table).toList();
        Map<String, TopicDescription> descriptions = admin.describeTopics(names).allTopicNames().get();
        Map<ConfigResource, Config> configs = admin.describeConfigs(
                names.stream()
                        .map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name))
                        .collect(Collectors.toSet()))
                .all()
                .get();
        List<String> wrong = new ArrayList<>();
        for (TableName table : tables) {
            Topics.Spec spec = Topics.ofTable(table, partitions);
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, spec.name());
            Config config = configs.get(resource);
            raise(resource, config);
            spec.config().forEach((setting, value) -> {
                ConfigEntry entry = config == null ? null : config.get(setting);
                if (entry == null || !value.equals(entry.value())) {
                    wrong.add(spec.name() + ": " + setting + " is " + (entry == null ? "not known" : entry.value())
                            + ", not " + value);
                }
            });
            TopicDescription description = descriptions.get(spec.name());
            if (description != null) {
                // As it was made: rows of one key must stay in one partition.
                verified.put(spec.name(), description.partitions().size());
            }
        }
        if (!wrong.isEmpty()) {
            names.forEach(verified::remove);
            throw new IllegalStateException("topics are not as they must be: " + String.join("; ", wrong)
                    + " — set it with kafka-configs.sh --alter, or delete the topic to have it made anew");
        }
    }

    @Override
    public void close() {
        admin.close();
    }
}
