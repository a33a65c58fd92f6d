package io.syncline.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.io.ClassPathResource;

class UnknownPropertiesTest {

    @ParameterizedTest
    @ValueSource(strings = {"syncline.prefx", "syncline.admin.tokn", "syncline.gateway.replyTimeOutt",
        "syncline.gateway", "syncline.x"})
    void misspelt(String name) {
        assertThat(UnknownProperties.isUnknown(name)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"syncline.prefix", "syncline.admin.tokenFile", "syncline.admin.token_file",
        "syncline.source.url", "syncline.data-dir", "spring.datasource.url", "synclinex.y"})
    void known(String name) {
        assertThat(UnknownProperties.isUnknown(name)).isFalse();
    }

    @Test
    void ourOwnFileNamesOnlyKnownOnes() throws IOException {
        var sources = new YamlPropertySourceLoader().load("gateway", new ClassPathResource("gateway.yml"));
        for (String name : ((EnumerablePropertySource<?>) sources.getFirst()).getPropertyNames()) {
            assertThat(UnknownProperties.isUnknown(name)).as(name).isFalse();
        }
        try (InputStream in = Objects.requireNonNull(getClass().getResourceAsStream("/gateway.yml"))) {
            assertThat(in.readAllBytes()).isNotEmpty();
        }
    }
}
