-- What capture must remember between its lives, and what it tells the operator.

-- Who captures: a capturer takes the next epoch before it touches the slot, and writes here only while its epoch is the newest.
CREATE TABLE syncline.capture_epoch (
    id      smallint PRIMARY KEY CHECK (id = 1),
    epoch   bigint NOT NULL,
    holder  text NOT NULL,
    since   timestamptz NOT NULL,
    -- written on the publication: two clusters with one slot would each take the other's changes away
    cluster uuid NOT NULL
);
INSERT INTO syncline.capture_epoch (id, epoch, holder, since, cluster) VALUES (1, 0, '', now(), gen_random_uuid());

-- The source as a whole, for the operator; no row: no worker has been given a source.
CREATE TABLE syncline.capture_source (
    id                smallint PRIMARY KEY CHECK (id = 1),
    -- checking: not yet begun; failed: it waits for what remedy says; stopped: by our own will
    state             text NOT NULL CHECK (state IN ('checking', 'running', 'failed', 'stopped')),
    epoch             bigint NOT NULL,
    holder            text NOT NULL,
    -- what stands in the way: a setting, its value, why it does not do, what helps, whether it may pass by itself
    setting           text,
    value             text,
    problem           text,
    remedy            text,
    retry_may_fix     boolean,
    -- sentences, one a line; empty for none
    warnings          text NOT NULL,
    -- of the source that the slot is on: another one, or another timeline, is captured anew
    system_identifier text,
    timeline          bigint,
    slot_name         text NOT NULL,
    publication       text NOT NULL,
    confirmed_lsn     text,
    retained_bytes    bigint,
    behind_bytes      bigint,
    -- when the source committed the change that came last
    last_change_at    timestamptz,
    updated_at        timestamptz NOT NULL
);

-- Tables that are, or were, captured.
CREATE TABLE syncline.capture_table (
    table_name     text PRIMARY KEY,
    topic          text NOT NULL,
    -- the newest that has begun; it only grows, also when the table goes and comes again
    generation     bigint NOT NULL,
    -- its end mark has been acknowledged
    complete       boolean NOT NULL,
    -- the pg_snapshot that it was read under: changes of transactions that this sees do not belong to it
    snapshot       text NOT NULL,
    consistent_lsn bigint NOT NULL,
    -- of the table as it was then
    fingerprint    text NOT NULL,
    -- a Dropped mark has been written behind it
    gone           boolean NOT NULL,
    changed_at     timestamptz NOT NULL
);

-- The source's public tables for the operator, also those that are left out.
CREATE TABLE syncline.capture_status (
    table_name         text PRIMARY KEY,
    -- waiting: no generation is complete; live; refreshing: a further one is under way; marked: halted, cause says why;
    -- left_out: not captured, cause says why
    state              text NOT NULL CHECK (state IN ('waiting', 'live', 'refreshing', 'marked', 'left_out')),
    cause              text,
    remedy             text,
    generation         bigint,
    -- of the snapshot that is being read
    snapshot_rows      bigint,
    snapshot_estimated bigint,
    -- when the source committed the change of it that came last
    last_change_at     timestamptz,
    updated_at         timestamptz NOT NULL
);
