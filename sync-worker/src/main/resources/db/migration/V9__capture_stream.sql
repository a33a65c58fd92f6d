-- Where a stream is about to begin, until the slot has shown that it is the one that was seen there: Debezium makes one that it does
-- not find, behind changes that nobody would then bring.
ALTER TABLE syncline.capture_source ADD COLUMN unverified_start bigint;
