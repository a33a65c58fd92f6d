-- What the events of syncline.connection.events add up to. Workers write it, gateways read it.
-- No column has a default: every row is a function of the events alone, so that a replay gives the same rows.

-- The module's settings: one row, or none while no operator has said anything (then: disabled, require_approval).
CREATE TABLE syncline.settings (
    id                      smallint PRIMARY KEY CHECK (id = 1),
    enabled                 boolean NOT NULL,
    incoming_mode           text NOT NULL,
    incoming_password_hash  text,
    password_revision       bigint NOT NULL,
    updated_at              timestamptz NOT NULL
);

-- One record a direction of each site. fingerprint and sealed_token open nothing by themselves.
CREATE TABLE syncline.connection (
    site_url        text NOT NULL,
    direction       text NOT NULL CHECK (direction IN ('sender', 'receiver')),
    uuid            uuid NOT NULL UNIQUE,
    name            text NOT NULL,
    fingerprint     text NOT NULL,
    sealed_token    text NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,

    -- receiver: what the sender's site last told us, and how it registered
    peer_status     text,
    registered_via  text,
    remote_ip       text,
    user_agent      text,

    -- sender: whether the receiver has shown its token, whether the peer is told of changes, what it may do
    confirmed       boolean,
    notify_peer     boolean,
    settings        text,
    created_by      text,

    PRIMARY KEY (site_url, direction),
    CHECK ((direction = 'receiver') = (peer_status IS NOT NULL AND registered_via IS NOT NULL AND remote_ip IS NOT NULL)),
    CHECK ((direction = 'sender') = (confirmed IS NOT NULL AND notify_peer IS NOT NULL AND settings IS NOT NULL
        AND created_by IS NOT NULL))
);

-- A receiver is found by its token alone, so no two sender records may share one.
CREATE UNIQUE INDEX connection_sender_fingerprint ON syncline.connection (fingerprint) WHERE direction = 'sender';

-- What our operator imposed on (site, direction); outlives the record.
CREATE TABLE syncline.imposition (
    site_url    text NOT NULL,
    direction   text NOT NULL CHECK (direction IN ('sender', 'receiver')),
    kind        text NOT NULL CHECK (kind IN ('awaiting_approval', 'suspended', 'revoked')),
    reason      text,
    imposed_by  text NOT NULL,
    since       timestamptz NOT NULL,
    PRIMARY KEY (site_url, direction)
);

-- How each request was decided. The plain insert on this key is what makes an outcome the only one.
CREATE TABLE syncline.request_outcome (
    request_id      uuid PRIMARY KEY,
    partition       integer NOT NULL,
    request_offset  bigint NOT NULL,
    outcome         text NOT NULL,
    decided_at      timestamptz NOT NULL
);
-- Rows come in the order of their time: a block range index finds the newest and the oldest for next to nothing.
CREATE INDEX request_outcome_decided_at ON syncline.request_outcome USING brin (decided_at)
    WITH (pages_per_range = 16, autosummarize = on);

-- The events themselves, so that what a worker committed and did not get to send can be sent by the next one.
CREATE TABLE syncline.connection_event (
    partition       integer NOT NULL,
    sequence        bigint NOT NULL,
    event_id        uuid NOT NULL,
    request_id      uuid NOT NULL,
    request_offset  bigint NOT NULL,
    key             text NOT NULL,
    type            text NOT NULL,
    payload         bytea NOT NULL,
    event_time      timestamptz NOT NULL,
    fence           bigint NOT NULL,
    previous_hash   bytea NOT NULL,
    hash            bytea NOT NULL,
    PRIMARY KEY (partition, sequence)
);

-- Where each partition stands. Nobody writes a partition's rows without holding this row, as it has it in memory.
CREATE TABLE syncline.log_head (
    partition           integer PRIMARY KEY,
    -- offset of the newest owner's fence in the events topic: the epoch
    fence               bigint NOT NULL,
    -- the last event
    sequence            bigint NOT NULL,
    hash                bytea NOT NULL,
    -- the first request that is not decided yet
    next_request_offset bigint NOT NULL,
    -- never runs backwards
    time                timestamptz NOT NULL,
    -- how far the log is known to hold what this database has: before log_offset its newest fence is log_fence and its last
    -- event log_sequence. A takeover reads on from here.
    log_offset          bigint NOT NULL,
    log_fence           bigint NOT NULL,
    log_sequence        bigint NOT NULL,
    log_hash            bytea NOT NULL
);
