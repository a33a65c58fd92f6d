-- Counts what the capturer of the newest epoch has written here: it knows the number, and one that is lower tells it that this
-- database has been restored to an earlier moment.
ALTER TABLE syncline.capture_epoch ADD COLUMN beat bigint NOT NULL DEFAULT 0;
