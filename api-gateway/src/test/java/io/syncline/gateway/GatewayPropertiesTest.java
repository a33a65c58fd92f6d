package io.syncline.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.gateway.admin.OidcTokens;
import io.syncline.model.connection.OperatorRole;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

class GatewayPropertiesTest {

    private static GatewayProperties bound(String... properties) {
        Map<String, String> all = new HashMap<>();
        for (int i = 0; i < properties.length; i += 2) {
            all.put("syncline." + properties[i], properties[i + 1]);
        }
        return new Binder(new MapConfigurationPropertySource(all)).bindOrCreate("syncline", GatewayProperties.class);
    }

    private static void refused(String message, String... properties) {
        assertThatThrownBy(() -> bound(properties)).rootCause()
                .isInstanceOf(UnusableSettingException.class)
                .hasMessageContaining(message);
    }

    @Test
    void noIssuer_unlessOneIsNamed() {
        assertThat(bound().admin().oidc().settings()).isEmpty();
    }

    @Test
    void issuer_needsAnAudience_andTheOtherWayRound() {
        refused("syncline.admin.oidc.audience is not set", "admin.oidc.issuer", "https://i.example");
        refused("syncline.admin.oidc.audience is set without", "admin.oidc.audience", "here");
    }

    @Test
    void issuer_isOneThatNobodyInBetweenCanPlay() {
        refused("syncline.admin.oidc.issuer is 'http://i.example', it must be an https URL", "admin.oidc.issuer",
                "http://i.example", "admin.oidc.audience", "here");
    }

    @Test
    void issuer_withDefaultsAndLists() {
        assertThat(bound("admin.oidc.issuer", "https://i.example", "admin.oidc.audience", "here",
                "admin.oidc.viewer-roles", "staff, guests").admin().oidc().settings()).contains(
                        new OidcTokens.Settings("https://i.example", "here", "sub", "roles",
                                Map.of(OperatorRole.VIEWER, Set.of("staff", "guests"), OperatorRole.AUDITOR,
                                        Set.of("syncline-auditor"), OperatorRole.OPERATOR,
                                        Set.of("syncline-operator"))));
        refused("roles-claim is empty", "admin.oidc.roles-claim", "");
    }

    @Test
    void leastRate_isBounded() {
        assertThat(bound().gateway().pullLeastRate().toKilobytes()).isEqualTo(16);
        assertThat(bound("gateway.pull-least-rate", "0").gateway().pullLeastRate().toBytes()).isZero();
        refused("syncline.gateway.pull-least-rate is", "gateway.pull-least-rate", "1GB");
    }
}
