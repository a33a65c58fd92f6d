-- What of the slot could not be decoded, and when it was abandoned for that the last time, by whichever worker.
CREATE TABLE syncline.capture_decoding (
    id           smallint PRIMARY KEY CHECK (id = 1),
    -- where the slot stood when the turns began that failed, and how many in a row did; 0 failures: none since it was made
    start_lsn    bigint NOT NULL,
    failures     int NOT NULL,
    -- SQLSTATE, or the name of Debezium's exception
    kind         text NOT NULL,
    -- the place in the WAL, where it is known
    record_lsn   text,
    problem      text NOT NULL,
    failed_at    timestamptz NOT NULL,
    abandoned_at timestamptz
);

-- Tables that are kept out of the stream, since a change of theirs could not be decoded: read on the schedule instead.
CREATE TABLE syncline.capture_excluded (
    table_name  text PRIMARY KEY,
    -- the table and its columns as they were then: once they are altered, it is streamed again
    identity    text NOT NULL,
    cause       text NOT NULL,
    excluded_at timestamptz NOT NULL
);
