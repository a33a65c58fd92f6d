package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

class StandalonePropertiesTest {

    @Test
    void of_everythingOursByDefault() {
        StandaloneProperties properties = of(Map.of());
        assertThat(properties.dataDirectory()).isEqualTo(Path.of(".syncline"));
        assertThat(properties.port()).isEqualTo(8080);
        assertThat(properties.prefix()).isEqualTo("phoenix_kit");
        assertThat(properties.bootstrapServers()).isNull();
        assertThat(properties.state()).isNull();
        assertThat(properties.source()).isNull();
        assertThat(properties.needsDatabase()).isTrue();
    }

    @Test
    void of_theUsersOwnFromTheCommandLine() {
        StandaloneProperties properties = of(Map.of(), "--syncline.data-dir=/srv/site", "--server.port=9000",
                "--syncline.prefix=kit", "--spring.kafka.bootstrap-servers=a:9092,b:9092",
                "--spring.datasource.url=jdbc:postgresql://db/state", "--spring.datasource.username=u",
                "--spring.datasource.password=p", "--syncline.source.url=jdbc:postgresql://db/site");
        assertThat(properties.dataDirectory()).isEqualTo(Path.of("/srv/site"));
        assertThat(properties.port()).isEqualTo(9000);
        assertThat(properties.prefix()).isEqualTo("kit");
        assertThat(properties.bootstrapServers()).isEqualTo("a:9092,b:9092");
        assertThat(properties.state()).isEqualTo(
                new StandaloneProperties.Database("spring.datasource.url", "jdbc:postgresql://db/state", "u", "p"));
        assertThat(properties.source()).isEqualTo(
                new StandaloneProperties.Database("syncline.source.url", "jdbc:postgresql://db/site", null, null));
        assertThat(properties.needsDatabase()).isFalse();
    }

    @Test
    void of_theEnvironmentInEitherSpelling() {
        assertThat(of(Map.of("SPRING_KAFKA_BOOTSTRAPSERVERS", "a:1")).bootstrapServers()).isEqualTo("a:1");
        assertThat(of(Map.of("SPRING_KAFKA_BOOTSTRAP_SERVERS", "a:1")).bootstrapServers()).isEqualTo("a:1");
        assertThat(of(Map.of("SYNCLINE_KAFKA", "a:1")).bootstrapServers()).isEqualTo("a:1");
        assertThat(of(Map.of("SYNCLINE_DATADIR", "/d")).dataDirectory()).isEqualTo(Path.of("/d"));
        assertThat(of(Map.of("SYNCLINE_DATABASE_URL", "jdbc:postgresql://db/x", "SYNCLINE_DATABASE_USERNAME", "u"))
                .state()).isEqualTo(
                        new StandaloneProperties.Database("spring.datasource.url", "jdbc:postgresql://db/x", "u",
                                null));
        assertThat(of(Map.of("SYNCLINE_KAFKA", "a:1"), "--spring.kafka.bootstrap-servers=b:2").bootstrapServers())
                .isEqualTo("b:2");
    }

    @Test
    void shown_hidesPasswordsInTheUrl() {
        assertThat(new StandaloneProperties.Database("x.url",
                "jdbc:postgresql://u:secret@db/x?password=secret&sslpassword=secret&user=u", null, "secret"))
                .asString()
                .doesNotContain("secret")
                .contains("user=u");
    }

    private static StandaloneProperties of(Map<String, Object> variables, String... arguments) {
        StandardEnvironment environment = new StandardEnvironment();
        environment.getPropertySources().remove(StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME);
        environment.getPropertySources()
                .replace(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                        new SystemEnvironmentPropertySource(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                                variables));
        return StandaloneProperties.of(environment, arguments);
    }
}
