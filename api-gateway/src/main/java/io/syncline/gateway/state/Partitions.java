package io.syncline.gateway.state;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.utils.Utils;

/**
 * Where a key's requests and events lie: as Kafka's default partitioner, which everybody else uses who writes requests.
 *
 * @param count of the requests and events
 */
public record Partitions(int count) {

    public int of(String key) {
        return of(key.getBytes(StandardCharsets.UTF_8), count);
    }

    static int of(byte[] key, int count) {
        return Utils.toPositive(Utils.murmur2(key)) % count;
    }
}
