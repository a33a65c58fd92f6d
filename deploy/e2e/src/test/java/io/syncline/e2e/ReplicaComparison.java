package io.syncline.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.standalone.EmbeddedDatabase;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;

/** What a gateway serves of a table, beside the source's rows. */
public final class ReplicaComparison {

    private static final String SOURCE = "site";

    private ReplicaComparison() {}

    /** All rows as the gateway streams them; fails where it gives none. */
    public static List<String> replica(SyncCluster.Gateway gateway, String tokenHash, String table) {
        HttpResponse<String> answer = gateway.send("POST", "/phoenix_kit/sync/api/pull-data",
                Map.of("content-type", "application/json", "accept", "application/x-ndjson"),
                "{\"auth_token_hash\":\"" + tokenHash + "\",\"table_name\":"
                        + JsonMapper.shared().writeValueAsString(table)
                        + "}");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        List<String> lines = new ArrayList<>(answer.body().lines().toList());
        JsonNode last = JsonMapper.shared().readTree(lines.removeLast());
        assertThat(last.path("rows").longValue(-1)).isEqualTo(lines.size());
        return lines;
    }

    /**
     * Has PostgreSQL read the replica's rows as rows of the table, and say which are in one of them only.
     *
     * @param quoted the table's name, as SQL takes it
     */
    public static List<String> differences(EmbeddedDatabase source, String quoted, List<String> replica)
            throws SQLException {
        List<String> differences = new ArrayList<>();
        try (Connection connection = source.connect(SOURCE); Statement statement = connection.createStatement()) {
            statement.execute("CREATE TEMP TABLE replica (wire text)");
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO replica SELECT unnest(?)")) {
                insert.setArray(1, connection.createArrayOf("text", replica.toArray()));
                insert.executeUpdate();
            }
            String rows = "SELECT t::text AS row FROM " + quoted + " t";
            String copy = "SELECT (json_populate_record(NULL::" + quoted + ", wire::json))::text AS row FROM replica";
            try (ResultSet row = statement.executeQuery("(SELECT 'only in the source: ' || row FROM (" + rows
                    + " EXCEPT ALL " + copy
                    + ") s ORDER BY 1 LIMIT 3) UNION ALL (SELECT 'only in the replica: ' || row FROM ("
                    + copy + " EXCEPT ALL " + rows + ") r ORDER BY 1 LIMIT 3)")) {
                while (row.next()) {
                    differences.add(row.getString(1));
                }
            }
        }
        return differences;
    }

    /** The table's entry in list-tables; a missing node if it is not listed. */
    public static JsonNode listed(SyncCluster.Gateway gateway, String tokenHash, String table) {
        return JsonMapper.shared()
                .readTree(gateway.call("list-tables", "{\"auth_token_hash\":\"" + tokenHash + "\"}").body())
                .path("tables")
                .valueStream()
                .filter(entry -> entry.path("name").asString().equals(table))
                .findFirst()
                .orElseGet(MissingNode::getInstance);
    }
}
