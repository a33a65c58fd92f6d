package io.syncline.gateway;

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
        List<String> misspelt = List.of("syncline.admin.tokn", "syncline.gateway", "syncline.gateway.replyTimeOutt",
                "syncline.prefx", "syncline.topics.replicas", "syncline.x");
        assertThat(UnknownProperties.known().unknown(misspelt)).containsExactlyElementsOf(misspelt);
    }

    @Test
    void known_oursAndWhatIsReadByProgramsThatMayShareOurFile() {
        assertThat(UnknownProperties.known()
                .unknown(List.of("syncline.prefix", "syncline.admin.tokenFile", "syncline.admin.token_file",
                        "syncline.admin.oidc.viewer-roles[0]", "syncline.topics.replication", "syncline.source.url",
                        "syncline.data-dir", "spring.datasource.url")))
                .isEmpty();
    }

    @Test
    void ourOwnFileNamesOnlyKnownOnes() throws IOException {
        var sources = new YamlPropertySourceLoader().load("gateway", new ClassPathResource("gateway.yml"));
        List<String> names = List.of(((EnumerablePropertySource<?>) sources.getFirst()).getPropertyNames());
        assertThat(names).contains("syncline.prefix");
        assertThat(GatewayProperties.names().unknown(names)).isEmpty();
    }

    @Test
    @ExtendWith(OutputCaptureExtension.class)
    void warnsOfWhatIsSetAnywhere_butInTheEnvironment(CapturedOutput output) {
        StandardEnvironment environment = new StandardEnvironment();
        environment.getPropertySources().addLast(new MapPropertySource("a file", Map.of("syncline.prefx", "x")));
        environment.getPropertySources()
                .replace(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                        new MapPropertySource(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                                Map.of("syncline.home", "x")));
        new UnknownProperties(environment);
        assertThat(output).contains("nothing reads the property syncline.prefx").doesNotContain("syncline.home");
    }
}
