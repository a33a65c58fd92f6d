package io.syncline.model.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.credential.PasswordHash;
import io.syncline.model.table.TableName;
import java.net.InetAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What each setting of a connection refuses, and in which order. */
class AccessPolicyTest {

    private static final Instant NOON = Instant.parse("2026-03-01T12:30:00Z");
    private static final PasswordHash PASSWORD = new PasswordHash("$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA");

    /** A call that is in order but for what a test says. */
    private static final class ACall implements AccessPolicy.Call {

        final List<String> asked = new ArrayList<>();
        Instant at = NOON;
        @Nullable InetAddress address = AddressRange.address("192.0.2.1").orElseThrow();
        boolean withinRate = true;
        AccessPolicy.Password password = AccessPolicy.Password.SAME;

        @Override
        public Instant at() {
            return at;
        }

        @Override
        public @Nullable InetAddress address() {
            return address;
        }

        @Override
        public boolean withinRate() {
            asked.add("rate");
            return withinRate;
        }

        @Override
        public AccessPolicy.Password password() {
            asked.add("password");
            return password;
        }
    }

    private static Optional<Refusal> refusal(ConnectionStatus status, ConnectionSettings settings, ACall call) {
        return AccessPolicy.refusal(status, settings, call);
    }

    @Test
    void nothingSet_everybodyMay() {
        assertThat(refusal(ConnectionStatus.ACTIVE, ConnectionSettings.DEFAULTS, new ACall())).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"PENDING, NOT_ACTIVE", "SUSPENDED, NOT_ACTIVE", "REVOKED, NOT_ACTIVE", "EXPIRED, CONNECTION_EXPIRED"})
    void status(ConnectionStatus status, Refusal refusal) {
        assertThat(refusal(status, ConnectionSettings.DEFAULTS, new ACall())).contains(refusal);
    }

    @Test
    void oneAfterTheOther_inTheProtocolsOrder() {
        ConnectionSettings all = with(List.of("203.0.113.0/24"), 1, 2, PASSWORD);
        ACall call = new ACall();
        call.withinRate = false;
        call.password = AccessPolicy.Password.DIFFERENT;
        assertThat(refusal(ConnectionStatus.EXPIRED, all, call)).contains(Refusal.CONNECTION_EXPIRED);
        assertThat(refusal(ConnectionStatus.ACTIVE, all, call)).contains(Refusal.ADDRESS_NOT_ALLOWED);
        call.address = AddressRange.address("203.0.113.7").orElseThrow();
        assertThat(refusal(ConnectionStatus.ACTIVE, all, call)).contains(Refusal.OUTSIDE_HOURS);
        assertThat(call.asked).as("who is refused before has not used up anything").isEmpty();
        call.at = Instant.parse("2026-03-01T02:59:59.999Z");
        assertThat(refusal(ConnectionStatus.ACTIVE, all, call)).contains(Refusal.RATE_EXCEEDED);
        assertThat(call.asked).containsExactly("rate");
        call.withinRate = true;
        assertThat(refusal(ConnectionStatus.ACTIVE, all, call)).contains(Refusal.DOWNLOAD_PASSWORD_INVALID);
        call.password = AccessPolicy.Password.MISSING;
        assertThat(refusal(ConnectionStatus.ACTIVE, all, call)).contains(Refusal.DOWNLOAD_PASSWORD_REQUIRED);
        call.password = AccessPolicy.Password.SAME;
        assertThat(refusal(ConnectionStatus.ACTIVE, all, call)).isEmpty();
    }

    @Test
    void noPasswordSet_noneIsCompared() {
        ACall call = new ACall();
        call.password = AccessPolicy.Password.DIFFERENT;
        assertThat(refusal(ConnectionStatus.ACTIVE, ConnectionSettings.DEFAULTS, call)).isEmpty();
        assertThat(call.asked).containsExactly("rate");
    }

    @Test
    void addressThatCannotBeSaid_isOnNoList() {
        ACall call = new ACall();
        call.address = null;
        assertThat(refusal(ConnectionStatus.ACTIVE, with(List.of("0.0.0.0/0", "::/0"), null, null, null), call))
                .contains(Refusal.ADDRESS_NOT_ALLOWED);
        assertThat(refusal(ConnectionStatus.ACTIVE, ConnectionSettings.DEFAULTS, call)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"9, 17, 9, true", "9, 17, 17, true", "9, 17, 18, false", "9, 17, 8, false", "9, 9, 9, true",
        "9, 9, 10, false", "22, 6, 23, true", "22, 6, 0, true", "22, 6, 6, true", "22, 6, 7, false",
        "22, 6, 21, false", "0, 23, 13, true"})
    void hours_bothIncluded_overMidnightToo(int start, int end, int hour, boolean allowed) {
        ConnectionSettings settings = with(List.of(), start, end, null);
        String day = String.format(Locale.ROOT, "2026-03-01T%02d:", hour);
        assertThat(AccessPolicy.allowsHour(settings, Instant.parse(day + "00:00Z"))).isEqualTo(allowed);
        assertThat(AccessPolicy.allowsHour(settings, Instant.parse(day + "59:59.999999Z"))).isEqualTo(allowed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"schema_migrations", "pg_class", "oban_jobs", "phoenix_kit_user_tokens",
        "phoenix_kit_sync_connections", "phoenix_kit_settings"})
    void tablesThatAreNeverServed(String table) {
        ConnectionSettings named = new ConnectionSettings(10, null, null, List.of(table), List.of(), List.of(), null,
                null, null, ApprovalMode.AUTO_APPROVE, List.of(), 60, null);
        assertThat(AccessPolicy.serves(named, new TableName(table))).isFalse();
    }

    @Test
    void excludedBeforeAllowed() {
        ConnectionSettings settings = new ConnectionSettings(10, null, null, List.of("a", "b"), List.of("b"), List.of(),
                null, null, null, ApprovalMode.AUTO_APPROVE, List.of(), 60, null);
        assertThat(AccessPolicy.serves(settings, new TableName("a"))).isTrue();
        assertThat(AccessPolicy.serves(settings, new TableName("b"))).isFalse();
        assertThat(AccessPolicy.serves(settings, new TableName("c"))).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"1, 9, 0, 8, DOWNLOAD,", "1, 9, 1, 8, DOWNLOAD, DOWNLOAD_LIMIT_REACHED", "1, 9, 1, 8, RECORDS,",
        "1, 9, 0, 9, DOWNLOAD, RECORD_LIMIT_REACHED", "1, 9, 1, 9, DOWNLOAD, DOWNLOAD_LIMIT_REACHED",
        "1, 9, 1, 12, RECORDS, RECORD_LIMIT_REACHED", "0, 9, 0, 0, DOWNLOAD, DOWNLOAD_LIMIT_REACHED"})
    void downloadsBeforeRecords(long maxDownloads, long maxRecords, long downloads, long records, PullKind kind,
            @Nullable Refusal refusal) {
        ConnectionSettings settings = new ConnectionSettings(10, maxDownloads, maxRecords, List.of(), List.of(),
                List.of(), null, null, null, ApprovalMode.AUTO_APPROVE, List.of(), 60, null);
        assertThat(AccessPolicy.exhausted(settings, new Pulls.Use(downloads, records, null), kind))
                .isEqualTo(Optional.ofNullable(refusal));
    }

    private static ConnectionSettings with(List<String> addresses, @Nullable Integer start, @Nullable Integer end,
            @Nullable PasswordHash password) {
        return new ConnectionSettings(10, null, null, List.of(), List.of(), addresses, start, end, password,
                ApprovalMode.AUTO_APPROVE, List.of(), 60, null);
    }
}
