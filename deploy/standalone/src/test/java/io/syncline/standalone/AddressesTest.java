package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AddressesTest {

    @Test
    void url_namesThisMachineWhereEverythingIsListenedOn() {
        assertThat(Addresses.url("http", null, 8080)).isEqualTo("http://localhost:8080");
        assertThat(Addresses.url("http", "0.0.0.0", 8080)).isEqualTo("http://localhost:8080");
        assertThat(Addresses.url("https", "::", 8443)).isEqualTo("https://localhost:8443");
    }

    @Test
    void url_namesTheOneAddressThatIsListenedOn() {
        assertThat(Addresses.url("http", "sync.example", 80)).isEqualTo("http://sync.example:80");
        assertThat(Addresses.url("http", "::1", 9090)).isEqualTo("http://[::1]:9090");
    }

    @Test
    void tlsHosts_areThoseThatACertificateHasToName() {
        assertThat(new Addresses("https://localhost:8443", "http://127.0.0.1:9090").tlsHosts())
                .containsExactly("localhost");
        assertThat(new Addresses("http://localhost:8080", "http://localhost:8080").tlsHosts()).isEmpty();
    }
}
