package io.syncline.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.io.ClassPathResource;

class UnknownPropertiesTest {

    @Test
    void misspelt() {
        List<String> misspelt = List.of("syncline.capture", "syncline.capture.max-retained-wl", "syncline.sauce.url",
                "syncline.source.usrname", "syncline.worker.sessiontimeOutt", "syncline.x");
        assertThat(UnknownProperties.known().unknown(misspelt)).containsExactlyElementsOf(misspelt);
    }

    @Test
    void known_oursAndWhatIsReadByProgramsThatMayShareOurFile() {
        assertThat(UnknownProperties.known()
                .unknown(List.of("syncline.capture.max-retained-wal", "syncline.capture.maxRetainedWal",
                        "syncline.source.url", "syncline.worker.session_timeout", "syncline.topics.replication",
                        "syncline.replica.tombstones-kept", "syncline.prefix", "syncline.admin.port",
                        "syncline.data-dir", "spring.datasource.url")))
                .isEmpty();
    }

    @Test
    void ourOwnFileNamesOnlyKnownOnes() throws IOException {
        var sources = new YamlPropertySourceLoader().load("worker", new ClassPathResource("worker.yml"));
        List<String> names = List.of(((EnumerablePropertySource<?>) sources.getFirst()).getPropertyNames());
        assertThat(names).contains("syncline.capture.max-retained-wal");
        assertThat(WorkerProperties.names().unknown(names)).isEmpty();
    }

    @Test
    @ExtendWith(OutputCaptureExtension.class)
    void warnsOfWhatIsSetAnywhere_butInTheEnvironment(CapturedOutput output) {
        StandardEnvironment environment = new StandardEnvironment();
        environment.getPropertySources()
                .addLast(new MapPropertySource("a file", Map.of("syncline.capture.max-retained-wl", "2GB")));
        environment.getPropertySources()
                .replace(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                        new MapPropertySource(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                                Map.of("syncline.home", "x")));
        new UnknownProperties(environment);
        assertThat(output).contains("nothing reads the property syncline.capture.max-retained-wl")
                .doesNotContain("syncline.home");
    }
}
