-- The publication, by its OID in the source, that the slot has been made for: one that was dropped and made again is another one, and
-- what happened meanwhile can never be decoded. Null where an older version has made the slot.
ALTER TABLE syncline.capture_source ADD COLUMN slot_publication bigint;
