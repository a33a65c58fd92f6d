package io.syncline.gateway;

import io.syncline.gateway.http.BoundedHttp;
import io.syncline.gateway.http.PlainErrors;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardHost;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;

/** Gives Tomcat our bounds, and the operators a port of their own where one is configured. */
final class WebServer implements WebServerFactoryCustomizer<TomcatServletWebServerFactory> {

    private final GatewayProperties.Gateway bounds;
    private final int operatorsPort;
    private final @Nullable String operatorsAddress;

    /** @param operatorsPort 0: none of their own */
    WebServer(GatewayProperties.Gateway bounds, int operatorsPort, @Nullable String operatorsAddress) {
        this.bounds = bounds;
        this.operatorsPort = operatorsPort;
        this.operatorsAddress = operatorsAddress;
    }

    @Override
    public void customize(TomcatServletWebServerFactory factory) {
        factory.setProtocol(BoundedHttp.class.getName());
        factory.addConnectorCustomizers(this::bound);
        factory.addContextCustomizers(context -> {
            if (context.getParent() instanceof StandardHost host) {
                host.setErrorReportValveClass(PlainErrors.class.getName());
            }
        });
        if (operatorsPort != 0) {
            Connector operators = new Connector(BoundedHttp.class.getName());
            operators.setPort(operatorsPort);
            bound(operators);
            if (operatorsAddress != null && operators.getProtocolHandler() instanceof BoundedHttp http) {
                http.setAddress(address(operatorsAddress));
            }
            factory.addAdditionalConnectors(operators);
        }
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
