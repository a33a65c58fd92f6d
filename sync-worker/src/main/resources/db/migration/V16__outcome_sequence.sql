-- The last event of the partition when a request was decided, its own included: nobody is told of an outcome before the log
-- is known to have that event. Null where a version before this one decided.
ALTER TABLE syncline.request_outcome ADD COLUMN sequence bigint;
