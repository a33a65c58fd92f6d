package io.syncline.worker.capture;

/**
 * What of the source's catalogue shows that something has happened to a table, also where it has been undone since: a change and
 * its undoing leave a table as it was, and each writes rows of the catalogue, whose xmin names the transaction that wrote them last.
 * No row is asked that GRANT, COMMENT, ANALYZE, VACUUM, CREATE INDEX or SET (…) writes, too: pg_class and pg_attribute would cost a
 * new generation for each of those. What columns were called when a change was made, its Relation message says.
 */
final class Witness {

    /** Fingerprints of versions that witnessed less begin with something else. */
    static final String FORMAT = "w1:";

    /**
     * A table's name: RENAME, SET SCHEMA and OWNER TO write its array type, and nothing else does once it is made. To be made, to get
     * another owner (pg_shdepend has none that is the first superuser; then the TOAST table is written, too) changes no name.
     */
    private static final String NAME = """
            SELECT CASE WHEN a.xmin IN (SELECT d.xmin FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = a.oid)
                OR a.xmin IN (SELECT d.xmin FROM pg_shdepend d WHERE d.dbid = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database())
                              AND d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'o')
                OR a.xmin IN (SELECT f.xmin FROM pg_class f WHERE f.oid = c.reltoastrelid)
                THEN 'kept' ELSE a.xmin::text END
            FROM pg_type r JOIN pg_type a ON a.oid = r.typarray WHERE r.oid = c.reltype""";

    /** SET SCHEMA. */
    private static final String SCHEMA = """
            SELECT string_agg(d.xmin::text, ',' ORDER BY d.refobjid) FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.refclassid = 'pg_namespace'::regclass""";

    /** To be attached to another table as its partition, and detached: meanwhile changes come under that table's name. */
    private static final String PRIMARY_KEY = """
            SELECT string_agg(x.oid || '.' || x.xmin, ',' ORDER BY x.oid) FROM pg_constraint x WHERE x.conrelid = c.oid AND x.contype = 'p'""";

    /** The tree of partitions: what is detached and attached again has another row, and changes of what is detached never come. */
    private static final String PARTITIONS = """
            WITH RECURSIVE tree (oid, written) AS (
                SELECT i.inhrelid, i.xmin::text FROM pg_inherits i WHERE i.inhparent = c.oid AND c.relkind = 'p' AND NOT i.inhdetachpending
              UNION ALL
                SELECT i.inhrelid, i.xmin::text FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid AND NOT i.inhdetachpending)
            SELECT md5(string_agg(oid || '.' || written, ',' ORDER BY oid)) FROM tree""";

    /**
     * Indexes that may have been the replica identity since they were made: changes of meanwhile name rows by those columns. An index
     * whose row in pg_index is as old as the index never was. (CONCURRENTLY and CLUSTER ON write that row, too: of such an index nobody
     * knows.)
     */
    private static final String IDENTITIES = """
            SELECT md5(string_agg(i.indexrelid || '.' || i.xmin, ',' ORDER BY i.indexrelid)) FROM\s"""
            + Publication.PLACES
            + """
                     JOIN pg_index i ON i.indrelid = l.oid
                    WHERE i.indisunique AND NOT i.indisprimary AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
                    AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid AND NOT a.attnotnull
                                    AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
                    AND i.xmin NOT IN (SELECT d.xmin FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                                       UNION ALL SELECT x.xmin FROM pg_constraint x WHERE x.conindid = i.indexrelid)""";

    /** For SQL: the witness of a table, {@code c} being its pg_class. */
    static final String OF_TABLE = "concat_ws('/', " + part(NAME) + ", " + part(SCHEMA) + ", " + part(PRIMARY_KEY)
            + ", "
            + part(PARTITIONS) + ", " + part(IDENTITIES) + ")";

    private Witness() {}

    private static String part(String query) {
        return "coalesce((" + query + "), '')";
    }
}
