package io.syncline.gateway;

import io.syncline.gateway.http.BoundedHttp;
import io.syncline.gateway.http.PlainErrors;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardHost;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServer;
import org.springframework.boot.web.servlet.ServletContextInitializer;

/** Makes a Tomcat with our bounds, in which the operators have a port of their own where one is configured. */
final class GatewayWebServerFactory extends TomcatServletWebServerFactory {

    private final GatewayProperties.Gateway bounds;
    private final int operatorsPort;
    private final @Nullable InetAddress operatorsAddress;

    /** @param operatorsPort 0: none of their own */
    GatewayWebServerFactory(GatewayProperties.Gateway bounds, int operatorsPort, @Nullable String operatorsAddress) {
        this.bounds = bounds;
        this.operatorsPort = operatorsPort;
        this.operatorsAddress = operatorsAddress == null ? null : address(operatorsAddress);
        setProtocol(BoundedHttp.class.getName());
        addConnectorCustomizers(this::bound);
        addContextCustomizers(context -> {
            if (context.getParent() instanceof StandardHost host) {
                host.setErrorReportValveClass(PlainErrors.class.getName());
            }
        });
    }

    @Override
    public WebServer getWebServer(ServletContextInitializer... initializers) {
        if (operatorsPort != 0) {
            // Here, where all of server.* is known, and as the peers': Spring Boot itself gives a further connector neither
            // TLS nor any bound.
            Connector operators = new Connector(BoundedHttp.class.getName());
            customizeConnector(operators);
            operators.setPort(operatorsPort);
            if (operators.getProtocolHandler() instanceof BoundedHttp http) {
                http.setAddress(operatorsAddress);
            }
            addAdditionalConnectors(operators);
        }
        return super.getWebServer(initializers);
    }

    private void bound(Connector connector) {
        if (connector.getProtocolHandler() instanceof BoundedHttp http) {
            http.setLongestHead(bounds.longestHead());
            http.setConnectionsPerAddress(
                    bounds.connectionsPerAddress() == 0 ? Integer.MAX_VALUE : bounds.connectionsPerAddress());
        }
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new UnusableSettingException(
                    "syncline.admin.address is '" + text + "', which names no address of this machine");
        }
    }
}
