package io.syncline.gateway;

import io.syncline.gateway.admin.OidcTokens;
import io.syncline.model.connection.AddressRange;
import io.syncline.model.connection.OperatorRole;
import io.syncline.model.property.PropertyNames;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * The gateway's own properties; {@code gateway.yml} says what each is for. All that is wrong with them is said at once.
 *
 * @param prefix what stands before {@code /sync/api} in the peers' paths, without slashes at its ends
 */
@ConfigurationProperties("syncline")
public record GatewayProperties(
        @DefaultValue("phoenix_kit") String prefix,
        @DefaultValue Admin admin,
        @DefaultValue Credentials credentials,
        @DefaultValue Topics topics,
        @DefaultValue Http http,
        @DefaultValue Limits limits,
        @DefaultValue Gateway gateway) {

    public record Admin(
            @Nullable String token,
            @Nullable Path tokenFile,
            @DefaultValue("1d") Duration tokenOverlap,
            @DefaultValue("0") int port,
            @Nullable String address,
            @DefaultValue Oidc oidc) {

        @Override
        public String toString() {
            return "Admin[tokenFile=" + tokenFile + "]";
        }
    }

    /**
     * Whose tokens operators may present, if anybody's.
     *
     * @param rolesClaim where a token says what its holder is; what of it makes a viewer, an auditor or an operator, the lists say
     */
    public record Oidc(
            @Nullable String issuer,
            @Nullable String audience,
            @DefaultValue("sub") String nameClaim,
            @DefaultValue("roles") String rolesClaim,
            @DefaultValue("syncline-viewer") Set<String> viewerRoles,
            @DefaultValue("syncline-auditor") Set<String> auditorRoles,
            @DefaultValue("syncline-operator") Set<String> operatorRoles) {

        Optional<OidcTokens.Settings> settings() {
            return issuer == null || audience == null
                    ? Optional.empty()
                    : Optional.of(new OidcTokens.Settings(issuer, audience, nameClaim, rolesClaim,
                            Map.of(OperatorRole.VIEWER, viewerRoles, OperatorRole.AUDITOR, auditorRoles,
                                    OperatorRole.OPERATOR, operatorRoles)));
        }

        private void check(List<String> problems) {
            String before = "syncline.admin.oidc.";
            if (issuer == null && audience != null) {
                problems.add(before + "audience is set without " + before + "issuer: set both, or neither");
            }
            if (issuer != null && !OidcTokens.Settings.isIssuer(issuer)) {
                problems.add(before + "issuer is '" + issuer + "', it must be an https URL without query, or http on"
                        + " localhost: who can change what comes from there can make operators");
            }
            if (issuer != null && (audience == null || audience.isBlank())) {
                problems.add(before + "audience is not set, while " + before + "issuer is: without it, tokens that the"
                        + " issuer made for other programs would open this one");
            }
            if (nameClaim.isBlank() || rolesClaim.isBlank()) {
                problems.add(
                        before + (nameClaim.isBlank() ? "name" : "roles") + "-claim is empty, it must name a claim");
            }
        }
    }

    /** Per address; 0: no limit. */
    public record Limits(
            @DefaultValue("300") int failedAuthenticationsPerMinute,
            @DefaultValue("120") int registrationsPerMinute) {}

    public record Credentials(@Nullable Path keyFile) {}

    public record Topics(@DefaultValue("4") int partitions) {}

    /** @param trustedProxies addresses and ranges of those that may say who calls */
    public record Http(@DefaultValue List<String> trustedProxies) {

        List<AddressRange> trusted() {
            return trustedProxies.stream().flatMap(text -> AddressRange.parse(text.strip()).stream()).toList();
        }
    }

    public record Gateway(
            @DefaultValue("5s") Duration replyTimeout,
            @DefaultValue("10000") int maxPending,
            @DefaultValue("16") int databaseConnections,
            @DefaultValue("16") int pullConnections,
            @DefaultValue("0") int pullShare,
            @DefaultValue("10m") Duration pullDuration,
            @DefaultValue("16KB") DataSize pullLeastRate,
            @DefaultValue("0") int passwordChecks,
            @DefaultValue("20s") Duration longestHead,
            @DefaultValue("0") int connectionsPerAddress,
            @DefaultValue("2s") Duration shutdownDelay) {}

    public GatewayProperties {
        prefix = prefix.strip().replaceAll("^/+|/+$", "");
        List<String> problems = new ArrayList<>();
        if (!prefix.matches("[A-Za-z0-9._~-]*(/[A-Za-z0-9._~-]+)*")) {
            problems.add("syncline.prefix is '" + prefix + "', it must be a path of letters, digits and . _ ~ -");
        }
        if (topics.partitions() < 1) {
            problems.add("syncline.topics.partitions is " + topics.partitions() + ", it must be 1 or more");
        }
        for (String proxy : http.trustedProxies()) {
            if (AddressRange.parse(proxy.strip()).isEmpty()) {
                problems.add("syncline.http.trusted-proxies has '" + proxy
                        + "', it must be an address or a range such as 10.0.0.0/8 or 2001:db8::/32");
            }
        }
        between("reply-timeout", gateway.replyTimeout(), Duration.ofMillis(500), Duration.ofMinutes(1), problems);
        between("shutdown-delay", gateway.shutdownDelay(), Duration.ZERO, Duration.ofMinutes(5), problems);
        between("pull-duration", gateway.pullDuration(), Duration.ofSeconds(1), Duration.ofDays(1), problems);
        if (admin.tokenOverlap().isNegative() || admin.tokenOverlap().compareTo(Duration.ofDays(90)) > 0) {
            problems.add("syncline.admin.token-overlap is " + admin.tokenOverlap() + ", it must be from 0 to 90 days");
        }
        between("pull-least-rate", gateway.pullLeastRate(), DataSize.ofBytes(0), DataSize.ofMegabytes(100), problems);
        between("longest-head", gateway.longestHead(), Duration.ofSeconds(1), Duration.ofMinutes(10), problems);
        between("connections-per-address", gateway.connectionsPerAddress(), 0, 1_000_000, problems);
        if (limits.failedAuthenticationsPerMinute() < 0 || limits.registrationsPerMinute() < 0) {
            problems.add("syncline.limits." + (limits.registrationsPerMinute() < 0 ? "registrations"
                    : "failed-authentications") + "-per-minute is less than 0; 0 means no limit");
        }
        if (admin.port() < 0 || admin.port() > 65_535) {
            problems.add("syncline.admin.port is " + admin.port() + ", it must be a port, or 0 for none of its own");
        }
        admin.oidc().check(problems);
        between("max-pending", gateway.maxPending(), 1, 1_000_000, problems);
        between("database-connections", gateway.databaseConnections(), 1, 1_000, problems);
        between("pull-connections", gateway.pullConnections(), 1, 1_000, problems);
        between("pull-share", gateway.pullShare(), 0, gateway.pullConnections(), problems);
        between("password-checks", gateway.passwordChecks(), 0, 1_000, problems);
        if (!problems.isEmpty()) {
            throw new UnusableSettingException(String.join("; ", problems));
        }
    }

    /** What of the properties is read here. */
    public static PropertyNames names() {
        return new PropertyNames().with("syncline", GatewayProperties.class);
    }

    /** How many streams one peer may have at once: unless said otherwise, three quarters of them. */
    int pullsOfOnePeer() {
        return gateway.pullShare() > 0 ? gateway.pullShare() : Math.max(1, gateway.pullConnections() * 3 / 4);
    }

    /** How many passwords are hashed at once: unless said otherwise, half of the processors may be busy with it. */
    int passwordChecksAtOnce() {
        return gateway.passwordChecks() > 0 ? gateway.passwordChecks()
                : Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    }

    private static <T extends Comparable<T>> void between(String name, T value, T least, T most,
            List<String> problems) {
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            problems.add("syncline.gateway." + name + " is " + value + ", it must be from " + least + " to " + most);
        }
    }
}
