-- The lines that wait for a prediction: every line of the log table is in here or in predictions. Whoever takes a row out
-- makes the line's prediction what it has to be, so a line may be queued twice, and be changed or deleted meanwhile:
-- who changes a waiting line queues it again instead of waiting for who has it in hand.
CREATE TABLE logintel.pending (
    id bigint GENERATED ALWAYS AS IDENTITY,
    log_entry_id bigint NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pending_pkey PRIMARY KEY (id)
);
CREATE INDEX pending_log_entry_id_idx ON logintel.pending (log_entry_id);

SELECT pg_catalog.pg_extension_config_dump('logintel.pending', '');
SELECT pg_catalog.pg_extension_config_dump('logintel.pending_id_seq', '');

COMMENT ON TABLE logintel.pending IS 'Lines that wait for a prediction. backfill() and the worker take them.';
COMMENT ON COLUMN logintel.pending.id IS 'Order of the queue.';
COMMENT ON COLUMN logintel.pending.log_entry_id IS 'Key of the line in the log table.';
COMMENT ON COLUMN logintel.pending.queued_at IS 'When it was queued.';
