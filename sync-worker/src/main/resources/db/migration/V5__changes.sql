-- Deltas and checksums. A change of a table has a number that only grows, also over generations: microseconds since 1970 in
-- this database's time, or one more than the last. Every row of a replica table holds the number of the change that
-- wrote it, tombstones included; pulls since a number read what has a greater one.

-- What was copied before has none of it: it is copied anew.
INSERT INTO syncline.replica_garbage (replica_name, since)
SELECT name, now() FROM syncline.replica_table, unnest(ARRAY[replica_name, next_name]) AS name WHERE name IS NOT NULL
ON CONFLICT DO NOTHING;
DELETE FROM syncline.replica_table;
DELETE FROM syncline.replica_position;

ALTER TABLE syncline.replica_table
    -- sums of row hashes, modulo 2^64
    ADD COLUMN checksum bigint NOT NULL,
    ADD COLUMN next_checksum bigint NOT NULL,
    -- a number before those of all of the generation's changes
    ADD COLUMN began bigint NOT NULL,
    ADD COLUMN next_began bigint NOT NULL,
    -- the number of the newest change
    ADD COLUMN last_change bigint NOT NULL,
    -- what changed since an older number than this is no longer known: tombstones are gone, or the key was another one
    ADD COLUMN known_since bigint NOT NULL,
    -- tables that this one's foreign keys name; of the schema that is served, or waited for
    ADD COLUMN depends_on text[] NOT NULL;
