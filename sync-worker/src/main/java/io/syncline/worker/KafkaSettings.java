package io.syncline.worker;

import java.util.Map;

/** What every Kafka client of the worker begins with: servers and security. */
public record KafkaSettings(Map<String, Object> settings) {

    public KafkaSettings {
        settings = Map.copyOf(settings);
    }
}
