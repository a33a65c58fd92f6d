package io.syncline.gateway.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.junit.jupiter.api.Test;

class PartitionsTest {

    @Test
    void ofAKey_isKafkasDefault() {
        for (int i = 0; i < 1_000; i++) {
            String site = "http://site-" + i + ".example";
            byte[] key = site.getBytes(StandardCharsets.UTF_8);
            assertThat(new Partitions(7).of(site)).isEqualTo(BuiltInPartitioner.partitionForKey(key, 7));
        }
    }
}
