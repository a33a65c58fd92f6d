package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import io.syncline.worker.capture.encode.RowEncoder;
import io.syncline.worker.capture.encode.ValueType;
import java.util.List;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.junit.jupiter.api.Test;

/** A change is a table's only if it is of that table, and of its columns as they are now. */
class StructReaderTest {

    private static final long TABLE = 16_999;
    private static final long TEXT = 25;

    private final StructReader reader = new StructReader(table(column("id", 23, false), column("twice", 23, true),
            column("a", TEXT, false), column("b", TEXT, false)));

    @Test
    void itsColumns_inTheirOrder_withOrWithoutTheGeneratedOnes() {
        assertThat(reader.fits(row(TABLE, "id:23", "a:25", "b:25"))).isTrue();
        assertThat(reader.fits(row(TABLE, "id:23", "twice:23", "a:25", "b:25"))).isTrue();
    }

    @Test
    void columnsThatHaveSwappedTheirNames_areOthers() {
        assertThat(reader.fits(row(TABLE, "id:23", "b:25", "a:25"))).isFalse();
        assertThat(reader.fits(row(TABLE, "a:25", "id:23", "b:25"))).isFalse();
    }

    @Test
    void anotherTableOfThatName_isAnother() {
        assertThat(reader.fits(row(TABLE + 1, "id:23", "a:25", "b:25"))).isFalse();
        assertThat(reader.fits(row(0, "id:23", "a:25", "b:25"))).isFalse();
    }

    @Test
    void fewerColumns_moreColumns_orOtherTypes_areOfAnotherTime() {
        assertThat(reader.fits(row(TABLE, "id:23", "a:25"))).isFalse();
        assertThat(reader.fits(row(TABLE, "id:23", "b:25"))).isFalse();
        assertThat(reader.fits(row(TABLE, "id:23", "a:25", "b:25", "c:25"))).isFalse();
        assertThat(reader.fits(row(TABLE, "id:20", "a:25", "b:25"))).isFalse();
        assertThat(reader.fits(row(TABLE, "id:23", "twice:20", "a:25", "b:25"))).isFalse();
    }

    private static Schema row(long relation, String... columns) {
        SchemaBuilder schema = SchemaBuilder.struct();
        for (String column : columns) {
            String[] parts = column.split(":");
            schema.field(parts[0], SchemaBuilder.string()
                    .optional()
                    .parameter("oid", parts[1])
                    .parameter("relation", Long.toString(relation))
                    .build());
        }
        return schema.build();
    }

    private static SourceTable.Column column(String name, long type, boolean generated) {
        return new SourceTable.Column(name, type, "text", new ValueType.Text(), generated);
    }

    private static SourceTable table(SourceTable.Column... columns) {
        return new SourceTable(TABLE, new TableSchema(new TableName("t"), List.of(), TableSchema.NO_KEY, List.of()), "",
                false,
                "", 0, List.of(columns), new int[]{0},
                new RowEncoder(
                        List.of(columns)
                                .stream()
                                .map(column -> new RowEncoder.Column(column.name(), column.type()))
                                .toList(),
                        new int[]{0}),
                null, null);
    }
}
