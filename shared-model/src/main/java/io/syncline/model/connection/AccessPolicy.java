package io.syncline.model.connection;

import io.syncline.model.table.TableName;
import java.net.InetAddress;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * May this call use this connection now? Pure, and in the protocol's order: status, expiry, address, hours, rate, password,
 * then the table, then downloads, then records.
 */
public final class AccessPolicy {

    private AccessPolicy() {}

    /** A call as the policy asks about it. What costs something is asked last, and only if all before it has passed. */
    public interface Call {

        /** In the database's time. */
        Instant at();

        /** From where, null where that cannot be said. */
        @Nullable
        InetAddress address();

        /** Counts the call, and says whether it is within the connection's rate. */
        boolean withinRate();

        /** What comparing the download password comes to; only asked where one is set. */
        Password password();
    }

    /** What comparing a password came to. */
    public enum Password {
        SAME, DIFFERENT, MISSING,
        /** Too many are being compared. */
        BUSY
    }

    /**
     * Whether the connection may be used at all.
     *
     * @param status the one in force at the call's time
     */
    public static Optional<Refusal> refusal(ConnectionStatus status, ConnectionSettings settings, Call call) {
        return usable(status).or(() -> {
            if (!allowsAddress(settings, call.address())) {
                return Optional.of(Refusal.ADDRESS_NOT_ALLOWED);
            }
            if (!allowsHour(settings, call.at())) {
                return Optional.of(Refusal.OUTSIDE_HOURS);
            }
            if (!call.withinRate()) {
                return Optional.of(Refusal.RATE_EXCEEDED);
            }
            return settings.downloadPassword() == null ? Optional.empty() : switch (call.password()) {
                case SAME -> Optional.empty();
                case DIFFERENT -> Optional.of(Refusal.DOWNLOAD_PASSWORD_INVALID);
                case MISSING -> Optional.of(Refusal.DOWNLOAD_PASSWORD_REQUIRED);
                case BUSY -> Optional.of(Refusal.PASSWORDS_BUSY);
            };
        });
    }

    /** The part of it that time alone decides; whoever decides later asks this again. */
    public static Optional<Refusal> usable(ConnectionStatus status) {
        return switch (status) {
            case ACTIVE -> Optional.empty();
            case EXPIRED -> Optional.of(Refusal.CONNECTION_EXPIRED);
            case PENDING, SUSPENDED, REVOKED -> Optional.of(Refusal.NOT_ACTIVE);
        };
    }

    /** Whether a table is there, for this connection. */
    public static boolean serves(ConnectionSettings settings, TableName table) {
        return !table.neverServed() && settings.allowsTable(table.name());
    }

    /** Whether anything is left to pull. */
    public static Optional<Refusal> exhausted(ConnectionSettings settings, Pulls.Use use, PullKind kind) {
        Long downloads = settings.maxDownloads();
        if (kind == PullKind.DOWNLOAD && downloads != null && use.downloads() >= downloads) {
            return Optional.of(Refusal.DOWNLOAD_LIMIT_REACHED);
        }
        return recordsLeft(settings, use) == 0 ? Optional.of(Refusal.RECORD_LIMIT_REACHED) : Optional.empty();
    }

    /** How many records may still be pulled, none of them in anybody's grant. */
    public static long recordsLeft(ConnectionSettings settings, Pulls.Use use) {
        Long most = settings.maxRecordsTotal();
        return most == null ? Long.MAX_VALUE : Math.max(0, most - use.records());
    }

    /** Whether something is counted that may run out: then each pull is decided before it begins. */
    public static boolean counts(ConnectionSettings settings) {
        return settings.maxDownloads() != null || settings.maxRecordsTotal() != null;
    }

    /** Whether a pull of this table needs an operator's word. */
    public static boolean needsApproval(ConnectionSettings settings, String table) {
        return switch (settings.approvalMode()) {
            case AUTO_APPROVE -> false;
            case REQUIRE_APPROVAL -> true;
            case PER_TABLE -> !settings.autoApproveTables().contains(table);
        };
    }

    static boolean allowsAddress(ConnectionSettings settings, @Nullable InetAddress address) {
        return settings.ipWhitelist().isEmpty() || (address != null && settings.ipWhitelist()
                .stream()
                .anyMatch(entry -> AddressRange.parse(entry).filter(range -> range.contains(address)).isPresent()));
    }

    static boolean allowsHour(ConnectionSettings settings, Instant at) {
        Integer start = settings.allowedHoursStart();
        Integer end = settings.allowedHoursEnd();
        if (start == null || end == null) {
            return true;
        }
        int hour = at.atOffset(ZoneOffset.UTC).getHour();
        return start <= end ? start <= hour && hour <= end : hour >= start || hour <= end;
    }
}
