package io.syncline.model.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.PullKind;
import io.syncline.model.connection.PullOutcome;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.credential.SealedSecret;
import io.syncline.model.credential.TestKeys;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The log is for ever: what {@code deploy/docs/log-format.md} writes down is what this code writes, byte for byte. */
class LogFormatTest {

    private static final CredentialKeys KEYS = TestKeys.FIXED;
    private static final UUID EVENT_ID = UUID.fromString("0193a0f0-0000-7000-8000-000000000001");
    private static final UUID REQUEST_ID = UUID.fromString("0193a0f0-0000-7000-8000-000000000002");
    private static final UUID CONNECTION = UUID.fromString("0193a0f0-0000-7000-8000-000000000003");
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.678Z");

    private static String document;

    @BeforeAll
    static void read() throws IOException {
        document = Files.readString(Path.of("../deploy/docs/log-format.md"));
    }

    @Test
    void fence_isAsWrittenDown() {
        LogRecord fence = new Fence(EVENT_ID, TIME, "worker-1", 0, "00".repeat(32)).toRecord(2, KEYS);
        assertThat(vector("fence")).isEqualTo(described(fence));
        assertThat(Fence.read(2, fence, KEYS).worker()).isEqualTo("worker-1");
    }

    @Test
    void acknowledgement_isAsWrittenDown() {
        Hole hole = new Hole(3, "11".repeat(32), 5, "22".repeat(32), -1, 7, 9);
        LogRecord acknowledgement = new Fence(EVENT_ID, TIME, "repair-log", 8, "33".repeat(32),
                new Acknowledgement("erin", "a disk was exchanged", List.of(hole), List.of(1L), 12)).toRecord(2, KEYS);
        assertThat(vector("acknowledgement")).isEqualTo(described(acknowledgement));
        assertThat(Fence.read(2, acknowledgement, KEYS).acknowledges())
                .isEqualTo(new Acknowledgement("erin", "a disk was exchanged", List.of(hole), List.of(1L), 12));
    }

    @Test
    void firstEvent_isAsWrittenDown() {
        assertThat(vector("first event")).isEqualTo(described(firstEvent().record()));
    }

    @Test
    void secondEvent_isAsWrittenDown() {
        LoggedEvent second = LoggedEvent.chain(2, 41, 2, firstEvent().hash(), REQUEST_ID, EVENT_ID, 18,
                TIME.plusMillis(1),
                new SiteEvent.ConnectionSuspended(SiteUrl.asSent("http://one.example"),
                        io.syncline.model.connection.Direction.RECEIVER, CONNECTION, "unpaid", "admin"),
                KEYS);
        assertThat(vector("second event")).isEqualTo(described(second.record()));
    }

    @Test
    void factsAboutPulls_areAsWrittenDown() {
        SiteUrl site = SiteUrl.asSent("http://one.example");
        UUID grant = UUID.fromString("0193a0f0-0000-7000-8000-000000000004");
        Map<String, SiteEvent> facts = new LinkedHashMap<>();
        facts.put("pull granted", new SiteEvent.PullGranted(site, CONNECTION, grant, PullKind.DOWNLOAD, "orders", 300,
                "192.0.2.1", TIME.plusSeconds(630)));
        facts.put("table pulled", new SiteEvent.TablePulled(site, CONNECTION, grant, PullKind.DOWNLOAD, "orders",
                "192.0.2.1", 300, 41_712, TIME.minusMillis(5), 12, PullOutcome.COMPLETED));
        facts.put("expired", new SiteEvent.ConnectionExpired(site, CONNECTION, TIME));
        facts.put("transfer requested", new SiteEvent.TransferRequested(site, CONNECTION, grant, "orders", "192.0.2.1",
                TIME.plusSeconds(604_800)));
        facts.put("transfer approved", new SiteEvent.TransferApproved(site, CONNECTION, grant, "orders",
                TIME.plusSeconds(86_400), "admin"));
        facts.put("transfer denied", new SiteEvent.TransferDenied(site, CONNECTION, grant, "orders", "not yours",
                TIME.plusSeconds(86_400), "admin"));
        facts.forEach((name, fact) -> assertThat(vector(name)).isEqualTo(described(LoggedEvent
                .chain(2, 41, 1, HashChain.genesis(), EVENT_ID, REQUEST_ID, 17, TIME, fact, KEYS)
                .record())));
    }

    private static LoggedEvent firstEvent() {
        SiteEvent registered = new SiteEvent.ConnectionRegistered(SiteUrl.asSent("http://one.example"), CONNECTION,
                "From: One", new CredentialFingerprint("ab".repeat(32)), new SealedSecret("k1", new byte[]{1, 2, 3}),
                true,
                "api", "192.0.2.1", "PhoenixKit-Sync/1.0");
        return LoggedEvent.chain(2, 41, 1, HashChain.genesis(), EVENT_ID, REQUEST_ID, 17, TIME, registered, KEYS);
    }

    /** The lines {@code name: value} of the vector's block in the document. */
    private static Map<String, String> vector(String name) {
        Matcher block = Pattern.compile("<!-- vector: " + name + " -->\\s*```\\s*(.*?)```", Pattern.DOTALL)
                .matcher(document);
        assertThat(block.find()).as("the document has a vector '" + name + "'").isTrue();
        Map<String, String> lines = new LinkedHashMap<>();
        block.group(1)
                .lines()
                .forEach(line -> lines.put(line.substring(0, line.indexOf(": ")),
                        line.substring(line.indexOf(": ") + 2)));
        return lines;
    }

    private static Map<String, String> described(LogRecord record) {
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("key", text(record.key()));
        lines.put("value", text(record.value()));
        lines.put("timestamp", Long.toString(record.timestamp()));
        record.headers().forEach((name, value) -> lines.put(name, text(value)));
        lines.put("canonical", HexFormat.of().formatHex(HashChain.canonical(record)));
        return lines;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
