-- What operators' calls need.

-- JSON: who has a token of their own for the operators' API, in which role; the token itself only as its fingerprint.
ALTER TABLE syncline.settings ADD COLUMN operators text NOT NULL DEFAULT '[]';
ALTER TABLE syncline.settings ALTER COLUMN operators DROP DEFAULT;

-- The token that a sender connection had before the present one, and until when it is taken too.
ALTER TABLE syncline.connection ADD COLUMN previous_fingerprint text;
ALTER TABLE syncline.connection ADD COLUMN previous_until timestamptz;
ALTER TABLE syncline.connection ADD CHECK ((previous_fingerprint IS NULL) = (previous_until IS NULL)
    AND (previous_fingerprint IS NULL OR direction = 'sender'));
CREATE INDEX connection_previous_fingerprint ON syncline.connection (previous_fingerprint)
    WHERE previous_fingerprint IS NOT NULL;

-- One site's events, the newest first.
CREATE INDEX connection_event_key ON syncline.connection_event (key, sequence);

-- Who is alive, written by each worker about itself every few seconds; no fact, and no part of what the events add up to.
CREATE TABLE syncline.worker (
    name        text PRIMARY KEY,
    started_at  timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,
    -- after so long without a word from it, the others have its work
    dead_after_ms bigint NOT NULL,
    -- what keeps it from deciding, if anything does
    trouble     text,
    -- each partition of the requests that it was given, how far it is with it, and why
    partitions  integer[] NOT NULL,
    states      text[] NOT NULL,
    details     text[] NOT NULL
);
