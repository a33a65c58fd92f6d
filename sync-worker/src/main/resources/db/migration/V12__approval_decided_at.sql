-- When an operator's word on a transfer was said: how long it was to hold is what lies between this and until. Null while it waits.
ALTER TABLE syncline.pull_approval ADD COLUMN decided_at timestamptz;
UPDATE syncline.pull_approval SET decided_at = (
    SELECT event_time FROM syncline.connection_event
    WHERE key = site_url
        AND type IN ('syncline.connection.transfer-approved.v1', 'syncline.connection.transfer-denied.v1')
        AND convert_from(payload, 'UTF8')::json ->> 'transfer' = transfer_id::text
    ORDER BY sequence DESC LIMIT 1)
WHERE state <> 'waiting';
