package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Configuration;

class KnownPropertiesTest {

    @ConfigurationProperties("syncline.example")
    record Example(@DefaultValue("1s") Duration howLong, @DefaultValue Nested nested) {
        record Nested(@DefaultValue("3") int howMany) {}
    }

    @Configuration
    @EnableConfigurationProperties(Example.class)
    static class Application {}

    @Test
    void unknownIn_whatNoApplicationReads() {
        try (AnnotationConfigApplicationContext application = new AnnotationConfigApplicationContext(
                Application.class)) {
            KnownProperties known = new KnownProperties().add(application);
            assertThat(known.unknownIn("--syncline.data-dir=x", "--syncline.dataDir=x", "--syncline.source.url=x",
                    "--syncline.example.how-long=2s", "--syncline.example.nested.howMany=4", "--server.port=1",
                    "--syncline.example.how-short=2s", "--syncline.sauce.url=x", "plain"))
                    .containsExactlyInAnyOrder("syncline.example.how-short", "syncline.sauce.url");
        }
    }

    @Test
    void merged_oursInThePlaceOfTheUsers() {
        assertThat(KnownProperties.merged(
                new String[]{"--spring.kafka.bootstrapServers=theirs", "--server.port=1", "plain"},
                List.of("--spring.kafka.bootstrap-servers=ours"))).containsExactly(
                        "--spring.kafka.bootstrap-servers=ours", "--server.port=1", "plain");
    }
}
