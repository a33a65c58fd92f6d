package io.syncline.standalone;

import io.syncline.gateway.GatewayProperties;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.catalina.connector.Connector;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.tomcat.TomcatWebServer;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * Where the gateway answers, as whoever sits at this machine writes it: such as http://localhost:8080.
 *
 * @param operators
 *            of their own where syncline.admin.port is set; health checks are there too
 */
record Addresses(String peers, String operators) {

    /** Asked of what listens, not of what is configured: it knows the port that 0 came to, and which ports speak TLS. */
    static Addresses of(ConfigurableApplicationContext gateway) {
        GatewayProperties.Admin admin = gateway.getBean(GatewayProperties.class).admin();
        TomcatWebServer server = (TomcatWebServer) Objects
                .requireNonNull(((WebServerApplicationContext) gateway).getWebServer());
        String peers = null;
        String operators = null;
        for (Connector connector : server.getTomcat().getService().findConnectors()) {
            if (admin.port() != 0 && connector.getPort() == admin.port()) {
                operators = url(connector.getScheme(), admin.address(), connector.getLocalPort());
            } else {
                peers = url(connector.getScheme(), gateway.getEnvironment().getProperty("server.address"),
                        connector.getLocalPort());
            }
        }
        Objects.requireNonNull(peers, "the gateway listens nowhere");
        return new Addresses(peers, operators == null ? peers : operators);
    }

    /** @param address what it is bound to; null: everything, as with the two wildcards */
    static String url(String scheme, @Nullable String address, int port) {
        String host = address == null || List.of("", "0.0.0.0", "::").contains(address) ? "localhost" : address;
        return "%s://%s:%d".formatted(scheme, host.contains(":") ? "[" + host + "]" : host, port);
    }

    /** The hosts that a certificate has to name. */
    List<String> tlsHosts() {
        List<String> hosts = new ArrayList<>();
        for (String url : List.of(peers, operators)) {
            if (isTls(url)) {
                hosts.add(url.substring("https://".length(), url.lastIndexOf(':')));
            }
        }
        return hosts;
    }

    static boolean isTls(String url) {
        return url.startsWith("https:");
    }
}
