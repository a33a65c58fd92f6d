package io.syncline.model.connection;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an entry of {@code ip_whitelist} or a trusted proxy's address means. */
class AddressRangeTest {

    @ParameterizedTest
    @CsvSource({"192.0.2.1, 192.0.2.1, true", "192.0.2.1, 192.0.2.2, false", "192.0.2.0/24, 192.0.2.255, true",
        "192.0.2.0/24, 192.0.3.0, false", "192.0.2.128/25, 192.0.2.127, false", "0.0.0.0/0, 203.0.113.9, true",
        "192.0.2.1/32, 192.0.2.1, true", "2001:db8::/32, 2001:db8:ffff::1, true", "2001:db8::/32, 2001:db9::1, false",
        "2001:db8::1, 2001:db8:0:0:0:0:0:1, true", "::1, 0:0:0:0:0:0:0:1, true", "::/0, 192.0.2.1, false",
        "192.0.2.1, ::ffff:192.0.2.1, true", "::ffff:192.0.2.0/120, 192.0.2.77, true",
        "::ffff:192.0.2.1, 192.0.2.1, true", "0.0.0.0/0, ::1, false", "10.0.0.0/7, 11.255.255.255, true"})
    void contains(String range, String address, boolean expected) {
        assertThat(AddressRange.parse(range).orElseThrow().contains(AddressRange.address(address).orElseThrow()))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "localhost", "example.org", "192.0.2", "192.0.2.1/33", "192.0.2.1/-1", "192.0.2.1/",
        "192.0.2.1/24", "192.0.2.01", "2001:db8::/129", "2001:db8::1/32", "fe80::1%eth0", "::ffff:192.0.2.0/95",
        "192.0.2.0/024", "192.0.2.0/24/24", " 192.0.2.1", "3221225985", "0x7f.0.0.1", "/8"})
    void noRange(String text) {
        assertThat(AddressRange.parse(text)).isEmpty();
    }
}
