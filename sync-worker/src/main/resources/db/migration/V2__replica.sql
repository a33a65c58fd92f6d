-- The copies of the source's tables: what there is of each, and how far each topic partition has been applied.
-- Each generation of a table has a replica table of its own in syncline_replica, named in replica_table.

CREATE SCHEMA IF NOT EXISTS syncline_replica;

-- One row a table: all that list-tables and a pull need to know.
CREATE TABLE syncline.replica_table (
    table_name      text PRIMARY KEY,
    topic           text NOT NULL UNIQUE,
    partitions      integer NOT NULL,
    -- the newest generation that ever began
    last_generation bigint NOT NULL,
    -- waiting: the first generation is not complete; refreshing: another one is under way, the old one is served as it was
    -- when that began; marked: not served, and cause says why
    state           text NOT NULL CHECK (state IN ('waiting', 'live', 'refreshing', 'marked')),
    cause           text CHECK ((cause IS NOT NULL) = (state = 'marked')),

    -- The generation that is served: null until one is complete.
    replica_name    text,
    generation      bigint,
    schema          text,
    row_count       bigint NOT NULL,
    size_bytes      bigint NOT NULL,
    as_of           timestamptz,
    CHECK (replica_name IS NOT NULL OR state IN ('waiting', 'marked')),
    CHECK ((replica_name IS NULL) = (generation IS NULL) AND (replica_name IS NULL) = (schema IS NULL)
        AND (replica_name IS NULL) = (as_of IS NULL)),

    -- The generation under way, and what of it has arrived.
    next_name       text,
    next_generation bigint,
    next_schema     text,
    next_row_count  bigint NOT NULL,
    next_size_bytes bigint NOT NULL,
    CHECK ((next_name IS NULL) = (next_generation IS NULL) AND (next_name IS NULL) = (next_schema IS NULL)),

    changed_at      timestamptz NOT NULL
);

-- What has been applied of each topic partition: written in the transaction that applies it. The consumer group's own
-- offsets are for show. A partition that has no row when a worker first sees it is trusted in nothing that it holds: the
-- worker starts at its end and asks for a new generation. Whoever makes a topic spares it that by a row for each partition
-- (next_offset, epoch and generation 0, complete false), committed before the first record.
CREATE TABLE syncline.replica_position (
    topic       text NOT NULL,
    partition   integer NOT NULL,
    topic_id    text NOT NULL,
    next_offset bigint NOT NULL,
    -- of the newest epoch mark: records of an older epoch behind it are void
    epoch       bigint NOT NULL,
    -- the newest that has begun here, 0 for none: rows of any other are not applied
    generation  bigint NOT NULL,
    -- how many rows its snapshot has brought here, null where none has begun; and whether its end mark has been read
    snapshot_rows bigint,
    complete    boolean NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- Replica tables that nothing names any more; dropped when no pull can still be reading them.
CREATE TABLE syncline.replica_garbage (
    replica_name text PRIMARY KEY,
    since        timestamptz NOT NULL
);

-- Tables whose copy cannot go on without a new generation: the replica asks, capture answers with a begin mark and takes
-- the row away (if asked_at is still the one it read).
CREATE TABLE syncline.capture_request (
    topic    text PRIMARY KEY,
    reason   text NOT NULL,
    asked_at timestamptz NOT NULL
);
