package io.syncline.gateway.admin;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.syncline.gateway.connection.ConnectionReads;
import io.syncline.model.connection.ApprovalMode;
import io.syncline.model.connection.Connection;
import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.Direction;
import io.syncline.model.connection.Imposition;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.Operator;
import io.syncline.model.connection.OperatorRole;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.PreviousToken;
import io.syncline.model.connection.SiteUrl;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What operators are shown: never a fingerprint, a sealed token or a password's hash. */
final class Views {

    private Views() {}

    record SettingsView(
            boolean enabled,
            IncomingMode incomingMode,
            boolean incomingPasswordSet,
            @Nullable Instant updatedAt) {

        static SettingsView of(ModuleSettings settings) {
            Instant at = settings.updatedAt();
            return new SettingsView(settings.enabled(), settings.incomingMode(), settings.incomingPassword() != null,
                    at.equals(Instant.EPOCH) ? null : at);
        }
    }

    /** @param nextCursor of the next page, absent behind the last one; a page may have fewer entries than were asked for */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record ConnectionsView(List<ConnectionView> connections, @Nullable String nextCursor) {}

    /**
     * @param authToken           only here: nobody can be told of it again
     * @param previousValidUntil the token that was replaced is taken until then; null where it could not be read
     */
    record RotatedView(UUID uuid, String authToken, @Nullable Instant previousValidUntil) {

        /** Without what is secret in it. */
        @Override
        public String toString() {
            return "RotatedView[" + uuid + "]";
        }
    }

    record OperatorsView(List<OperatorView> operators) {}

    record OperatorView(String name, OperatorRole role, String addedBy, Instant addedAt) {

        static OperatorView of(Operator operator) {
            return new OperatorView(operator.name(), operator.role(), operator.addedBy(), operator.addedAt());
        }
    }

    /** @param token only here: nobody can be told of it again */
    record AppointedView(String name, OperatorRole role, String token) {

        /** Without what is secret in it. */
        @Override
        public String toString() {
            return "AppointedView[" + name + "]";
        }
    }

    /**
     * @param authToken only in the answer to its making: nobody can be told of it again
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record MadeView(
            UUID uuid,
            String authToken,
            Direction direction,
            String name,
            SiteUrl siteUrl,
            @Nullable ConnectionStatus status) {

        /** Without what is secret in it. */
        @Override
        public String toString() {
            return "MadeView[" + uuid + "]";
        }
    }

    /**
     * @param status                  in force
     * @param previousTokenValidUntil the last of the tokens before the present one ends then
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record ConnectionView(
            UUID uuid,
            Direction direction,
            String name,
            SiteUrl siteUrl,
            ConnectionStatus status,
            @Nullable ImpositionView imposed,
            @Nullable PeerWish peerStatus,
            @Nullable String registeredVia,
            @Nullable String remoteIp,
            @Nullable String userAgent,
            @Nullable Boolean confirmed,
            @JsonProperty("notify") @Nullable Boolean notifyPeer,
            @Nullable LimitsView settings,
            @Nullable String createdBy,
            @Nullable Instant previousTokenValidUntil,
            Instant createdAt,
            Instant updatedAt) {

        static ConnectionView of(ConnectionReads.Found found) {
            Imposition imposed = found.imposed();
            ImpositionView imposition = imposed == null ? null : ImpositionView.of(imposed);
            return switch (found.connection()) {
                case Connection.Sender c -> new ConnectionView(c.uuid(), c.direction(), c.name(), c.siteUrl(),
                        found.status(), imposition, null, null, null, null, c.confirmed(), c.notifyPeer(),
                        LimitsView.of(c.settings()), c.createdBy(), previousUntil(c, found.at()), c.createdAt(),
                        c.updatedAt());
                case Connection.Receiver c -> new ConnectionView(c.uuid(), c.direction(), c.name(), c.siteUrl(),
                        found.status(), imposition, c.wish(), c.registeredVia(), c.remoteIp(), c.userAgent(), null,
                        null, null, null, null, c.createdAt(), c.updatedAt());
            };
        }
    }

    private static @Nullable Instant previousUntil(Connection.Sender sender, Instant now) {
        return sender.previousTokensTaken(now).map(PreviousToken::until).max(Comparator.naturalOrder()).orElse(null);
    }

    /** @param former what was imposed, for that reason, by that operator, before the record was made anew */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record ImpositionView(
            Imposition.Kind kind,
            Imposition.@Nullable Kind former,
            @Nullable String reason,
            String by,
            Instant since) {

        static ImpositionView of(Imposition imposed) {
            return new ImpositionView(imposed.kind(), imposed.former(), imposed.reason(), imposed.by(),
                    imposed.since());
        }
    }

    @JsonInclude(JsonInclude.Include.ALWAYS)
    record LimitsView(
            int maxRecordsPerRequest,
            @Nullable Long maxDownloads,
            @Nullable Long maxRecordsTotal,
            List<String> allowedTables,
            List<String> excludedTables,
            List<String> ipWhitelist,
            @Nullable Integer allowedHoursStart,
            @Nullable Integer allowedHoursEnd,
            boolean downloadPasswordSet,
            ApprovalMode approvalMode,
            List<String> autoApproveTables,
            int rateLimitRequestsPerMinute,
            @Nullable Instant expiresAt) {

        static LimitsView of(ConnectionSettings s) {
            return new LimitsView(s.maxRecordsPerRequest(), s.maxDownloads(), s.maxRecordsTotal(), s.allowedTables(),
                    s.excludedTables(), s.ipWhitelist(), s.allowedHoursStart(), s.allowedHoursEnd(),
                    s.downloadPassword() != null, s.approvalMode(), s.autoApproveTables(),
                    s.rateLimitRequestsPerMinute(), s.expiresAt());
        }
    }
}
