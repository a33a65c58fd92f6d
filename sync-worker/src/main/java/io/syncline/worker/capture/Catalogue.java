package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import java.util.Map;
import java.util.Set;

/**
 * The source's public tables at one moment.
 *
 * @param tables      those that can be captured
 * @param leftOut     those that cannot
 * @param published   of either kind, those that our publication has
 */
record Catalogue(Map<TableName, SourceTable> tables, Map<TableName, LeftOut> leftOut, Set<TableName> published) {

    Catalogue {
        tables = Map.copyOf(tables);
        leftOut = Map.copyOf(leftOut);
        published = Set.copyOf(published);
    }
}
