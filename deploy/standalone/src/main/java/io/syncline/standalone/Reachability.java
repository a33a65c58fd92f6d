package io.syncline.standalone;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;

/** Whether what is the user's own answers; if not, which property says where it was looked for. */
final class Reachability {

    private static final int LIMIT_SECONDS = 3;

    private Reachability() {}

    /** One sentence for each part that does not answer: property, value, cause, remedy. */
    static List<String> complaints(StandaloneProperties properties) {
        List<String> complaints = new ArrayList<>();
        if (properties.bootstrapServers() != null) {
            broker(properties.bootstrapServers(), complaints);
        }
        if (properties.state() != null) {
            database(properties.state(), complaints);
        }
        if (properties.source() != null) {
            database(properties.source(), complaints);
        }
        return complaints;
    }

    private static void broker(String servers, List<String> complaints) {
        String cause = "";
        for (String server : servers.split(",", -1)) {
            int colon = server.lastIndexOf(':');
            try (Socket socket = new Socket()) {
                String host = server.substring(0, colon).strip();
                int port = Integer.parseInt(server.substring(colon + 1).strip());
                socket.connect(new InetSocketAddress(host, port), LIMIT_SECONDS * 1000);
                return;
            } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException failure) {
                cause = cause(failure);
            }
        }
        complaints.add(
                "spring.kafka.bootstrap-servers: no broker answers at '%s' (%s); start that Kafka, correct the property, or leave it out for a Kafka of our own"
                        .formatted(servers, cause));
    }

    private static void database(StandaloneProperties.Database database, List<String> complaints) {
        Properties login = new Properties();
        if (database.username() != null) {
            login.setProperty("user", database.username());
        }
        if (database.password() != null) {
            login.setProperty("password", database.password());
        }
        login.setProperty("connectTimeout", Integer.toString(LIMIT_SECONDS));
        login.setProperty("loginTimeout", Integer.toString(LIMIT_SECONDS));
        try {
            EmbeddedDatabase.connect(database.url(), login).close();
        } catch (SQLException failure) {
            complaints.add("%s: '%s' does not let us in (%s); %s".formatted(database.property(), database.shown(),
                    cause(failure), remedy(database, failure)));
        }
    }

    private static String remedy(StandaloneProperties.Database database, SQLException failure) {
        String stem = database.property().substring(0, database.property().lastIndexOf('.'));
        String state = failure.getSQLState() == null ? "" : failure.getSQLState();
        return switch (state) {
            case "28P01", "28000" -> "correct %s.username and %s.password".formatted(stem, stem);
            case "3D000" -> "create that database, or name another in %s.url".formatted(stem);
            case "08001", "08006", "08004" ->
                    "start that PostgreSQL, or correct %s.url; leave it out for a PostgreSQL of our own"
                            .formatted(stem);
            default -> "correct %s.url (jdbc:postgresql://host:port/database); leave it out for a PostgreSQL of our own"
                    .formatted(stem);
        };
    }

    private static String cause(Exception failure) {
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName().toLowerCase(Locale.ROOT)
                : message.lines().findFirst().orElse("").strip();
    }
}
