package io.syncline.model.connection;

import io.syncline.model.credential.PasswordHash;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an operator allows a receiver to do over a sender connection. Empty lists and absent limits mean: no limit.
 *
 * @param maxRecordsPerRequest   rows that one {@code pull-data} gives at most, unless it is asked for lines
 * @param allowedHoursStart      first hour (UTC, 0 to 23) of the day in which calls are served, that hour included
 * @param allowedHoursEnd        last such hour, included; smaller than the start means: over midnight
 * @param rateLimitRequestsPerMinute table calls a minute
 * @param expiresAt              from then on the status is {@code expired}
 */
public record ConnectionSettings(
        int maxRecordsPerRequest,
        @Nullable Long maxDownloads,
        @Nullable Long maxRecordsTotal,
        List<String> allowedTables,
        List<String> excludedTables,
        List<String> ipWhitelist,
        @Nullable Integer allowedHoursStart,
        @Nullable Integer allowedHoursEnd,
        @Nullable PasswordHash downloadPassword,
        ApprovalMode approvalMode,
        List<String> autoApproveTables,
        int rateLimitRequestsPerMinute,
        @Nullable Instant expiresAt) {

    public static final int DEFAULT_RECORDS_PER_REQUEST = 10_000;
    public static final int DEFAULT_REQUESTS_PER_MINUTE = 6_000;
    /** The most entries that any list of a connection's settings may have. */
    public static final int MAX_LIST_ENTRIES = 1_000;

    /** A connection that nothing limits but the defaults of the protocol. */
    public static final ConnectionSettings DEFAULTS = new ConnectionSettings(DEFAULT_RECORDS_PER_REQUEST, null, null,
            List.of(), List.of(), List.of(), null, null, null, ApprovalMode.AUTO_APPROVE, List.of(),
            DEFAULT_REQUESTS_PER_MINUTE, null);

    public ConnectionSettings {
        positive("max_records_per_request", maxRecordsPerRequest);
        positive("rate_limit_requests_per_minute", rateLimitRequestsPerMinute);
        notNegative("max_downloads", maxDownloads);
        notNegative("max_records_total", maxRecordsTotal);
        hour("allowed_hours_start", allowedHoursStart);
        hour("allowed_hours_end", allowedHoursEnd);
        if ((allowedHoursStart == null) != (allowedHoursEnd == null)) {
            throw new IllegalArgumentException(
                    "allowed_hours_start and allowed_hours_end are given together or not at all");
        }
        allowedTables = bounded("allowed_tables", allowedTables);
        excludedTables = bounded("excluded_tables", excludedTables);
        ipWhitelist = bounded("ip_whitelist", ipWhitelist);
        autoApproveTables = bounded("auto_approve_tables", autoApproveTables);
    }

    /** Whether the clock has reached {@link #expiresAt}. */
    public boolean expired(Instant now) {
        return expiresAt != null && !now.isBefore(expiresAt);
    }

    /** Whether this connection's lists let a table be pulled: not excluded, and allowed unless nothing is named. */
    public boolean allowsTable(String table) {
        return !excludedTables.contains(table) && (allowedTables.isEmpty() || allowedTables.contains(table));
    }

    private static void positive(String field, long value) {
        if (value <= 0) {
            throw new IllegalArgumentException(field + " is " + value + ", it must be 1 or more");
        }
    }

    private static void notNegative(String field, @Nullable Long value) {
        if (value != null && value < 0) {
            throw new IllegalArgumentException(field + " is " + value + ", it must be 0 or more");
        }
    }

    private static void hour(String field, @Nullable Integer value) {
        if (value != null && (value < 0 || value > 23)) {
            throw new IllegalArgumentException(field + " is " + value + ", it must be an hour from 0 to 23");
        }
    }

    private static List<String> bounded(String field, List<String> values) {
        if (values.size() > MAX_LIST_ENTRIES) {
            throw new IllegalArgumentException(
                    field + " has " + values.size() + " entries, at most " + MAX_LIST_ENTRIES + " are allowed");
        }
        return List.copyOf(values);
    }
}
