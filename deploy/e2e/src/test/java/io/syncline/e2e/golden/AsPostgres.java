package io.syncline.e2e.golden;

import io.syncline.standalone.EmbeddedDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The rows of a source table as the protocol shows them to a PhoenixKit peer, made from PostgreSQL's own text forms and so
 * without any of our encoder's code.
 */
final class AsPostgres {

    private final EmbeddedDatabase database;

    AsPostgres(EmbeddedDatabase database) {
        this.database = database;
    }

    JsonNode rows(String table) {
        ArrayNode rows = JsonNodeFactory.instance.arrayNode();
        String quoted = '"' + table.replace("\"", "\"\"") + '"';
        try (Connection connection = database.connect("site"); Statement statement = connection.createStatement()) {
            statement.execute("SET TimeZone = 'UTC'; SET DateStyle = ISO; SET IntervalStyle = postgres");
            try (ResultSet result = statement
                    .executeQuery("SELECT id, v::text, pg_typeof(v)::text AS type FROM public." + quoted)) {
                ResultSetMetaData columns = result.getMetaData();
                if (columns.getColumnCount() != 3) {
                    throw new IllegalStateException("the recordings have tables of id and v only");
                }
                while (result.next()) {
                    ObjectNode row = rows.addObject();
                    row.put("id", result.getInt(1));
                    row.set("v", value(result.getString(2), result.getString(3)));
                }
            }
        } catch (SQLException e) {
            throw new IllegalStateException("table " + table + " cannot be read", e);
        }
        return rows;
    }

    private static JsonNode value(@Nullable String text, String type) {
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        if (text == null) {
            return nodes.nullNode();
        }
        return switch (type) {
            case "json", "jsonb" -> Exchange.JSON.readTree(text);
            case "uuid" -> binary(HexFormat.of().parseHex(text.replace("-", "")));
            case "bytea" -> binary(HexFormat.of().parseHex(text.substring(2).toLowerCase(Locale.ROOT)));
            case "uuid[]" -> {
                ArrayNode array = nodes.arrayNode();
                for (String element : text.substring(1, text.length() - 1).split(",")) {
                    array.add(value(element, "uuid"));
                }
                yield array;
            }
            default -> nodes.stringNode(text);
        };
    }

    private static JsonNode binary(byte[] bytes) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        node.put("__phoenix_kit_binary__", Base64.getEncoder().encodeToString(bytes));
        return node;
    }
}
