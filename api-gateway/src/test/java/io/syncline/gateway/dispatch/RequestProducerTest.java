package io.syncline.gateway.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.junit.jupiter.api.Test;

class RequestProducerTest {

    @Test
    void partitionOf_isKafkasDefault() {
        for (int i = 0; i < 1_000; i++) {
            byte[] key = ("http://site-" + i + ".example").getBytes(StandardCharsets.UTF_8);
            assertThat(RequestProducer.partitionOf(key, 7)).isEqualTo(BuiltInPartitioner.partitionForKey(key, 7));
        }
    }
}
