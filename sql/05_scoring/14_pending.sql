-- The lines that wait for a prediction: every line of a log table is in here or in predictions. Whoever takes a row out
-- makes the line's prediction what it has to be, so a line may be queued twice, and be changed or deleted meanwhile. Who
-- changes or deletes a line that somebody else has in hand queues it again instead of waiting, as changed: what the other
-- writes is outdated, and counts nowhere until the line is taken again. So does who finds neither a prediction of a line nor
-- that it waits: a row trigger changed or deleted it, and the statement that wrote it has not told of it yet.
CREATE TABLE logintel_internal.pending (
    id bigint GENERATED ALWAYS AS IDENTITY,
    log_entry_id bigint NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    "timestamp" timestamptz,
    changed boolean NOT NULL DEFAULT false,
    attachment_id integer NOT NULL,
    CONSTRAINT pending_pkey PRIMARY KEY (id)
);
CREATE INDEX pending_attachment_id_log_entry_id_idx ON logintel_internal.pending (attachment_id, log_entry_id);
CREATE INDEX pending_changed_idx ON logintel_internal.pending (log_entry_id, "timestamp") WHERE changed;

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.pending', '');
SELECT pg_catalog.pg_extension_config_dump('logintel_internal.pending_id_seq', '');

COMMENT ON TABLE logintel_internal.pending IS 'Lines that wait for a prediction. backfill() and the worker take them.';
COMMENT ON COLUMN logintel_internal.pending.id IS 'Order in which they were queued.';
COMMENT ON COLUMN logintel_internal.pending.log_entry_id IS 'Key of the line.';
COMMENT ON COLUMN logintel_internal.pending.queued_at IS 'When it was queued.';
COMMENT ON COLUMN logintel_internal.pending."timestamp" IS 'Time of the line, null where it has none: two lines of one key differ in it.';
COMMENT ON COLUMN logintel_internal.pending.changed IS 'Whether the line was changed or deleted before it was known, or while somebody else had it in hand.';
COMMENT ON COLUMN logintel_internal.pending.attachment_id IS 'The attachment of its log table.';
