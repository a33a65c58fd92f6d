package io.syncline.worker.capture.debezium;

import io.debezium.connector.postgresql.PostgresType;
import io.debezium.connector.postgresql.TypeRegistry;
import io.debezium.connector.postgresql.connection.PostgresConnection;
import java.sql.Types;
import java.util.List;

/**
 * Tells Debezium's decoder that every type is an enum, the one kind of type whose text it takes as it is. The OID stays, so that
 * a column's true type can be read from a record's schema.
 */
final class TextTypes extends TypeRegistry {

    private static final String PREFIX = "oid_";
    private static final int TEXT_OID = 25;

    TextTypes(PostgresConnection connection) {
        super(connection);
    }

    @Override
    public PostgresType get(int oid) {
        // No cache: asked once for each column of each Relation message. No TypeInfo: so no lengths, which a message would lack.
        return new PostgresType.Builder(this, PREFIX + Integer.toUnsignedString(oid), oid, Types.VARCHAR,
                NO_TYPE_MODIFIER, null)
                .enumValues(List.of())
                .build();
    }

    @Override
    public PostgresType get(String schemaName, String typeName) {
        return get(typeName);
    }

    @Override
    public PostgresType get(String name) {
        // Any other name is the driver's, from a table's metadata: nothing is decoded by those.
        return get(name.startsWith(PREFIX) ? Integer.parseUnsignedInt(name.substring(PREFIX.length())) : TEXT_OID);
    }
}
