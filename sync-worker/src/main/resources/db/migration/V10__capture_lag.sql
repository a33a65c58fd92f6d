-- How long after its commit in the source a change was in Kafka, or how long nothing has been; null before the first.
ALTER TABLE syncline.capture_source ADD COLUMN lag_ms bigint;
