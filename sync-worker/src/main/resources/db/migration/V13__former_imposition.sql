-- What was imposed before a record was made anew and waits for approval: reason, imposed_by and since are still that one's.
ALTER TABLE syncline.imposition ADD COLUMN former text
    CHECK (former IS NULL OR (former IN ('suspended', 'revoked') AND kind = 'awaiting_approval'));
WITH fact AS (
    SELECT e.key, e.sequence, e.event_time, e.type, convert_from(e.payload, 'UTF8')::json AS data
    FROM syncline.connection_event e
    WHERE e.key IN (SELECT site_url FROM syncline.imposition WHERE kind = 'awaiting_approval')
        AND e.type IN ('syncline.connection.suspended.v1', 'syncline.connection.revoked.v1',
            'syncline.connection.approved.v1', 'syncline.connection.reactivated.v1',
            'syncline.connection.registered.v1', 'syncline.connection.sender-created.v1')),
-- A record that was made and does not wait had nothing imposed on it, or what was has been lifted.
word AS (
    SELECT key, sequence, event_time, type, data, CASE type
        WHEN 'syncline.connection.registered.v1' THEN 'receiver'
        WHEN 'syncline.connection.sender-created.v1' THEN 'sender'
        ELSE data ->> 'direction' END AS direction
    FROM fact WHERE data ->> 'awaiting_approval' IS DISTINCT FROM 'true'),
newest AS (SELECT DISTINCT ON (key, direction) * FROM word ORDER BY key, direction, sequence DESC)
UPDATE syncline.imposition i
SET former = split_part(newest.type, '.', 3), reason = newest.data ->> 'reason', imposed_by = newest.data ->> 'by',
    since = newest.event_time
FROM newest
WHERE i.kind = 'awaiting_approval' AND i.site_url = newest.key AND i.direction = newest.direction
    AND newest.type IN ('syncline.connection.suspended.v1', 'syncline.connection.revoked.v1');
