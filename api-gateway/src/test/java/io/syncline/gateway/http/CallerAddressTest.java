package io.syncline.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.AddressRange;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whom a call comes from: headers count for nothing, unless a trusted proxy hands them on. */
class CallerAddressTest {

    private static final CallerAddress BEHIND_PROXIES = trusting("10.0.0.0/8", "2001:db8::/32");

    @ParameterizedTest
    @CsvSource({"192.0.2.1, 192.0.2.1", "0:0:0:0:0:0:0:1, 0:0:0:0:0:0:0:1", "::ffff:192.0.2.1, 192.0.2.1",
        "fe80:0:0:0:0:0:0:1%eth0, fe80:0:0:0:0:0:0:1"})
    void withoutHeaders_theSocket(String socket, String expected) {
        assertThat(BEHIND_PROXIES.of(socket, List.of(), List.of())).isEqualTo(expected);
    }

    @Test
    void strangersHeaders_areNotBelieved() {
        assertThat(BEHIND_PROXIES.of("192.0.2.1", List.of("203.0.113.9"), List.of())).isEqualTo("192.0.2.1");
        assertThat(BEHIND_PROXIES.of("192.0.2.1", List.of(), List.of("for=203.0.113.9"))).isEqualTo("192.0.2.1");
        assertThat(trusting().of("10.0.0.1", List.of("203.0.113.9"), List.of())).isEqualTo("10.0.0.1");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"203.0.113.9 | 203.0.113.9", "198.51.100.7, 203.0.113.9 | 203.0.113.9",
        "198.51.100.7, 203.0.113.9, 10.1.2.3 | 203.0.113.9", "10.9.9.9, 10.1.2.3 | 10.9.9.9",
        "203.0.113.9:4711 | 203.0.113.9", "[2001:db9::7]:4711 | 2001:db9:0:0:0:0:0:7",
        "2001:db9::7 | 2001:db9:0:0:0:0:0:7",
        "::ffff:203.0.113.9 | 203.0.113.9", "203.0.113.9, unknown | unknown",
        "203.0.113.9, nonsense, 10.1.2.3 | unknown", "203.0.113.9, 010.0.0.1 | unknown",
        "203.0.113.9, | unknown", "' ' | unknown"})
    void forwardedFor_theLastHopThatIsNoProxy(String header, String expected) {
        assertThat(BEHIND_PROXIES.of("10.0.0.1", List.of(header), List.of())).isEqualTo(expected);
    }

    @Test
    void severalHeaders_areOneList() {
        assertThat(BEHIND_PROXIES.of("10.0.0.1", List.of("198.51.100.7", "203.0.113.9, 10.1.2.3"), List.of()))
                .isEqualTo("203.0.113.9");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"for=203.0.113.9 | 203.0.113.9", "For=\"203.0.113.9:4711\" | 203.0.113.9",
        "for=\"[2001:db9::7]:80\";proto=https | 2001:db9:0:0:0:0:0:7",
        "for=198.51.100.7, for=203.0.113.9;by=10.0.0.1 | 203.0.113.9",
        "proto=https;for=203.0.113.9, for=10.1.2.3 | 203.0.113.9", "for=_hidden | unknown", "for=unknown | unknown",
        "by=203.0.113.9 | unknown",
        // A caller chooses its Host, and what it writes into the header before the proxy adds to it.
        "host=\"x;for=10.1.2.3\";for=203.0.113.9 | 203.0.113.9",
        "host=\"x,for=10.1.2.3\";for=203.0.113.9 | 203.0.113.9",
        "host=\"x\\\";for=10.1.2.3;y=\\\"\";for=203.0.113.9 | unknown", "for=203.0.113.9, | unknown",
        "for=10.1.2.3;for=203.0.113.9 | unknown", "for=\"x, for=203.0.113.9 | unknown",
        "for=10.1.2.3;x=\", host=\",for=10.1.2.3\";for=203.0.113.9 | unknown", "for | unknown", "for= | unknown"})
    void forwarded_theSame(String header, String expected) {
        assertThat(BEHIND_PROXIES.of("10.0.0.1", List.of(), List.of(header))).isEqualTo(expected);
    }

    @Test
    void twoHeadersThatDisagree_oneIsTheCallersOwn_soNeitherCounts_norDoesTheProxysAddress() {
        assertThat(BEHIND_PROXIES.of("10.0.0.1", List.of("203.0.113.9"), List.of("for=198.51.100.7")))
                .isEqualTo("unknown");
        assertThat(BEHIND_PROXIES.of("10.0.0.1", List.of("203.0.113.9"), List.of("for=203.0.113.9")))
                .isEqualTo("203.0.113.9");
    }

    private static CallerAddress trusting(String... ranges) {
        return new CallerAddress(Stream.of(ranges).map(range -> AddressRange.parse(range).orElseThrow()).toList());
    }
}
