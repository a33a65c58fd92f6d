-- How far what has been published reaches in the source's WAL: a slot that goes back before it may be of a source that was restored.
ALTER TABLE syncline.capture_source ADD COLUMN published_lsn bigint NOT NULL DEFAULT 0;
