package io.syncline.gateway.admin;

import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.model.connection.AddressRange;
import io.syncline.model.connection.ApprovalMode;
import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.AuthToken;
import io.syncline.model.credential.PasswordHash;
import io.syncline.model.table.TableName;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** What an operator says of a sender connection to be made. */
record SenderForm(
        String name,
        SiteUrl site,
        Optional<AuthToken> token,
        boolean active,
        boolean notifyPeer,
        Optional<String> downloadPassword,
        Limits limits) {

    static final int MAX_NAME = 255;
    private static final int MAX_TOKEN = 255;
    static final int MAX_PASSWORD = 1_000;
    private static final int LAST_HOUR = 23;
    private static final int MAX_YEAR = 9999;

    /** The settings but for the password, which is not hashed yet. */
    record Limits(
            int maxRecordsPerRequest,
            @Nullable Long maxDownloads,
            @Nullable Long maxRecordsTotal,
            List<String> allowedTables,
            List<String> excludedTables,
            List<String> ipWhitelist,
            @Nullable Integer allowedHoursStart,
            @Nullable Integer allowedHoursEnd,
            ApprovalMode approvalMode,
            List<String> autoApproveTables,
            int rateLimitRequestsPerMinute,
            @Nullable Instant expiresAt) {

        ConnectionSettings with(@Nullable PasswordHash downloadPassword) {
            return new ConnectionSettings(maxRecordsPerRequest, maxDownloads, maxRecordsTotal, allowedTables,
                    excludedTables, ipWhitelist, allowedHoursStart, allowedHoursEnd, downloadPassword, approvalMode,
                    autoApproveTables, rateLimitRequestsPerMinute, expiresAt);
        }
    }

    /** Without what is secret in it. */
    @Override
    public String toString() {
        return "SenderForm[" + site + "]";
    }

    sealed interface Read {
        record Form(SenderForm form) implements Read {}

        record Bad(OperatorRefusal refusal) implements Read {}
    }

    static Read read(JsonNode body) {
        OperatorFields fields = new OperatorFields(body);
        Optional<String> direction = fields.parsed("direction",
                word -> word.equals("sender") ? Optional.of(word) : Optional.empty(),
                "must be 'sender': a receiver record is made when its sender registers with us");
        if (direction.isEmpty() && (!fields.has("direction") || fields.isNull("direction"))) {
            fields.reject("direction", "is missing; it must be 'sender'");
        }
        String name = required(fields, "name", MAX_NAME);
        SiteUrl site = site(fields);
        Optional<AuthToken> token = fields.text("auth_token", MAX_TOKEN).map(AuthToken::new);
        boolean active = fields.parsed("status",
                word -> word.equals("pending") || word.equals("active") ? Optional.of(word) : Optional.empty(),
                "must be 'pending' or 'active'").orElse("pending").equals("active");
        boolean notifyPeer = fields.bool("notify").orElse(true);
        Optional<String> downloadPassword = fields.text("download_password", MAX_PASSWORD);
        Limits limits = limits(fields, ConnectionSettings.DEFAULTS);
        return fields.refusal()
                .<Read>map(Read.Bad::new)
                .orElseGet(() -> new Read.Form(
                        new SenderForm(name, site, token, active, notifyPeer, downloadPassword, limits)));
    }

    /**
     * What is said is taken, null for the default; what is not said is as it was.
     *
     * @param before the settings so far
     */
    static Limits limits(OperatorFields fields, ConnectionSettings before) {
        ConnectionSettings none = ConnectionSettings.DEFAULTS;
        Integer start = fields.has("allowed_hours_start")
                ? fields.whole("allowed_hours_start", 0, LAST_HOUR).map(Long::intValue).orElse(null)
                : before.allowedHoursStart();
        Integer end = fields.has("allowed_hours_end")
                ? fields.whole("allowed_hours_end", 0, LAST_HOUR).map(Long::intValue).orElse(null)
                : before.allowedHoursEnd();
        if ((start == null) != (end == null)) {
            fields.reject(start == null ? "allowed_hours_start" : "allowed_hours_end",
                    "is needed too: both hours are given or none");
        }
        return new Limits(
                count(fields, "max_records_per_request", before.maxRecordsPerRequest(), none.maxRecordsPerRequest()),
                total(fields, "max_downloads", before.maxDownloads()),
                total(fields, "max_records_total", before.maxRecordsTotal()),
                tables(fields, "allowed_tables", before.allowedTables()),
                tables(fields, "excluded_tables", before.excludedTables()),
                fields.has("ip_whitelist")
                        ? fields.texts("ip_whitelist", ConnectionSettings.MAX_LIST_ENTRIES,
                                text -> AddressRange.parse(text).isPresent(),
                                "an IPv4 or IPv6 address, or a range of them such as 203.0.113.0/24")
                        : before.ipWhitelist(),
                start, end,
                fields.has("approval_mode")
                        ? fields.parsed("approval_mode", ApprovalMode::parse,
                                "must be 'auto_approve', 'require_approval' or 'per_table'")
                                .orElse(none.approvalMode())
                        : before.approvalMode(),
                tables(fields, "auto_approve_tables", before.autoApproveTables()),
                count(fields, "rate_limit_requests_per_minute", before.rateLimitRequestsPerMinute(),
                        none.rateLimitRequestsPerMinute()),
                fields.has("expires_at")
                        ? fields.parsed("expires_at", SenderForm::time,
                                "must be a time with its offset from UTC, for instance 2027-01-31T12:00:00Z")
                                .orElse(null)
                        : before.expiresAt());
    }

    private static int count(OperatorFields fields, String name, int before, int none) {
        return fields.has(name) ? fields.whole(name, 1, Integer.MAX_VALUE).map(Long::intValue).orElse(none) : before;
    }

    private static @Nullable Long total(OperatorFields fields, String name, @Nullable Long before) {
        return fields.has(name) ? fields.whole(name, 0, Long.MAX_VALUE).orElse(null) : before;
    }

    private static List<String> tables(OperatorFields fields, String name, List<String> before) {
        return fields.has(name) ? fields.texts(name, ConnectionSettings.MAX_LIST_ENTRIES, TableName::possible,
                "the name of a table (1 to " + TableName.MAX_BYTES + " bytes)") : before;
    }

    private static String required(OperatorFields fields, String name, int longest) {
        Optional<String> text = fields.text(name, longest);
        if (text.isEmpty() && (!fields.has(name) || fields.isNull(name))) {
            fields.reject(name, "is missing");
        }
        return text.orElse("");
    }

    private static SiteUrl site(OperatorFields fields) {
        String text = required(fields, "site_url", Integer.MAX_VALUE);
        try {
            return text.isEmpty() ? SiteUrl.asSent(text) : SiteUrl.ofRecord(text);
        } catch (IllegalArgumentException e) {
            fields.reject("site_url", String.valueOf(e.getMessage()));
            return SiteUrl.asSent(text);
        }
    }

    private static Optional<Instant> time(String text) {
        try {
            OffsetDateTime time = OffsetDateTime.parse(text);
            return time.getYear() < 1 || time.getYear() > MAX_YEAR ? Optional.empty()
                    : Optional.of(time.toInstant().truncatedTo(ChronoUnit.MICROS));
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }
}
