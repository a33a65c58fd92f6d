-- Up to which time of the source a copy is known to have everything. Each of these times only grows; as_of follows from them.

-- What the source had at this time has been sent to the tables' topics.
ALTER TABLE syncline.capture_source ADD COLUMN known_until timestamptz;
ALTER TABLE syncline.capture_table
    -- The copy has what the source had at this time; null while nothing is known but when the table was read.
    ADD COLUMN known_until timestamptz,
    -- The copy has everything that was sent of the table, so that the source's known_until holds for it too.
    ADD COLUMN keeps_up boolean NOT NULL DEFAULT false;
