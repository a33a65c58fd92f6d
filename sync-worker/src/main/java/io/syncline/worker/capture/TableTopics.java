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
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;

/** The tables' topics: made before anything is produced to them, and verified when a capturer begins. */
final class TableTopics implements AutoCloseable {

    private final Admin admin;
    private final CaptureStore store;
    private final int partitions;
    private final short replication;

    /** Topics that have been verified, with their number of partitions. */
    private final Map<String, Integer> verified = new HashMap<>();

    TableTopics(Admin admin, CaptureStore store, int partitions, short replication) {
        this.admin = admin;
        this.store = store;
        this.partitions = partitions;
        this.replication = replication;
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
                .map(spec -> new NewTopic(spec.name(), spec.partitions(), replication).configs(spec.config()))
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
            Config config = configs.get(new ConfigResource(ConfigResource.Type.TOPIC, spec.name()));
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
