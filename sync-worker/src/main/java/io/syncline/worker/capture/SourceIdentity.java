package io.syncline.worker.capture;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** Which PostgreSQL the source is, and which of its histories: LSNs of two of them cannot be compared. */
record SourceIdentity(String systemIdentifier, long timeline) {

    static SourceIdentity of(SourceDatabase source) throws SQLException {
        try (Connection connection = source.connectForReplication();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("IDENTIFY_SYSTEM")) {
            rows.next();
            return new SourceIdentity(rows.getString("systemid"), rows.getLong("timeline"));
        }
    }
}
