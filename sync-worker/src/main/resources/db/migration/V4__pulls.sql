-- What is and was pulled over the sender connections: a function of the events, like all of V1.

-- When a sender connection ends: what its settings say, where the clock can be watched for it.
ALTER TABLE syncline.connection ADD COLUMN expires_at timestamptz;
UPDATE syncline.connection SET expires_at = (settings::json ->> 'expires_at')::timestamptz WHERE direction = 'sender';
ALTER TABLE syncline.connection ADD CHECK (expires_at IS NULL OR direction = 'sender');
CREATE INDEX connection_expires_at ON syncline.connection (expires_at) WHERE expires_at IS NOT NULL;

-- What counts against a site's sender connection, with what open grants hold. No row: nothing.
CREATE TABLE syncline.pull_use (
    site_url        text PRIMARY KEY,
    downloads       bigint NOT NULL CHECK (downloads >= 0),
    records         bigint NOT NULL CHECK (records >= 0),
    -- the expires_at whose passing is in the log
    expiry_recorded timestamptz
);

-- Rows that a gateway may be giving away now. One that nobody reports is closed some time after its end.
CREATE TABLE syncline.pull_grant (
    grant_id        uuid PRIMARY KEY,
    site_url        text NOT NULL,
    connection_uuid uuid NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('download', 'records')),
    table_name      text NOT NULL,
    records         bigint NOT NULL,
    address         text NOT NULL,
    granted_at      timestamptz NOT NULL,
    until           timestamptz NOT NULL
);
CREATE INDEX pull_grant_until ON syncline.pull_grant (until);

-- Tables that are pulled only with an operator's word, and what that was.
CREATE TABLE syncline.pull_approval (
    site_url        text NOT NULL,
    transfer_id     uuid NOT NULL UNIQUE,
    table_name      text NOT NULL,
    state           text NOT NULL CHECK (state IN ('waiting', 'approved', 'denied')),
    address         text NOT NULL,
    requested_at    timestamptz NOT NULL,
    until           timestamptz NOT NULL,
    decided_by      text,
    reason          text,
    PRIMARY KEY (site_url, table_name),
    CHECK ((state = 'waiting') = (decided_by IS NULL))
);

-- The history of transfers is read from the events.
CREATE INDEX connection_event_pulled ON syncline.connection_event (event_time DESC, event_id)
    WHERE type = 'syncline.connection.table-pulled.v1';
