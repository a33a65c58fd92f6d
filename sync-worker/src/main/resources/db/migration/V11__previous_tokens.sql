-- Rotated again within the time of the token before, a sender connection takes several of those that it had, the newest first,
-- each until its own end.
ALTER TABLE syncline.connection
    ADD COLUMN previous_fingerprints text[],
    ADD COLUMN previous_untils timestamptz[];
UPDATE syncline.connection
SET previous_fingerprints = ARRAY[previous_fingerprint], previous_untils = ARRAY[previous_until]
WHERE previous_fingerprint IS NOT NULL;
ALTER TABLE syncline.connection
    DROP COLUMN previous_fingerprint,
    DROP COLUMN previous_until;
ALTER TABLE syncline.connection ADD CHECK ((previous_fingerprints IS NULL) = (previous_untils IS NULL)
    AND (previous_fingerprints IS NULL OR direction = 'sender'
        AND cardinality(previous_fingerprints) = cardinality(previous_untils)));
-- Written seldom and asked for often: nothing waits in a list of what is not yet in it.
CREATE INDEX connection_previous_fingerprints ON syncline.connection USING gin (previous_fingerprints)
    WITH (fastupdate = off) WHERE previous_fingerprints IS NOT NULL;
