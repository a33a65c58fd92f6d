package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.PropertiesPropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.SimpleCommandLinePropertySource;
import org.springframework.core.env.StandardEnvironment;

class KnownPropertiesTest {

    @Test
    void unknownIn_whatNoPartReads_whereverItIsSet() {
        Properties system = new Properties();
        system.setProperty("syncline.capture.max-retained-wl", "2GB");
        system.setProperty("syncline.capture.max-retained-wal", "2GB");
        assertThat(KnownProperties.unknownIn(List.of(
                environment(new SimpleCommandLinePropertySource("--syncline.data-dir=x", "--syncline.dataDir=x",
                        "--syncline.source.url=x", "--syncline.database.url=x", "--syncline.surce.url=x",
                        "--server.port=1", "plain"), new PropertiesPropertySource("system", system)),
                environment(new MapPropertySource("gateway.yml",
                        Map.of("syncline.http.trusted-proxies[0]", "x", "syncline.admin.prt", 1))))))
                .containsExactly("syncline.admin.prt", "syncline.capture.max-retained-wl", "syncline.surce.url");
    }

    private static ConfigurableEnvironment environment(PropertySource<?>... sources) {
        StandardEnvironment environment = new StandardEnvironment();
        environment.getPropertySources().forEach(own -> environment.getPropertySources().remove(own.getName()));
        List.of(sources).forEach(environment.getPropertySources()::addLast);
        return environment;
    }

    @Test
    void merged_oursInThePlaceOfTheUsers() {
        assertThat(KnownProperties.merged(
                new String[]{"--spring.kafka.bootstrapServers=theirs", "--server.port=1", "plain"},
                List.of("--spring.kafka.bootstrap-servers=ours"))).containsExactly(
                        "--spring.kafka.bootstrap-servers=ours", "--server.port=1", "plain");
    }
}
