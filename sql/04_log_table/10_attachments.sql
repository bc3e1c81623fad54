-- Which tables hold the logs. The triggers in 80_apply_attachment.sql write the functions that read them from these
-- rows, also when a restore loads them. An attachment has a number that no other one gets: what is known of a table
-- ends with its attachment. The first is 0, which leaves hashes of shapes and keys of scores as a single table has
-- them.
CREATE TABLE logintel_internal.attachments (
    log_table regclass NOT NULL,
    columns jsonb NOT NULL,
    manages_partitions boolean NOT NULL DEFAULT false,
    reconciled_tables oid[],
    attached_at timestamptz NOT NULL DEFAULT now(),
    attached_by text NOT NULL DEFAULT session_user,
    column_numbers jsonb NOT NULL DEFAULT '{}',
    time_zone text NOT NULL DEFAULT 'UTC',
    level_scale jsonb NOT NULL DEFAULT '{}',
    paths jsonb NOT NULL DEFAULT '{}',
    id integer GENERATED ALWAYS AS IDENTITY (MINVALUE 0 START WITH 0),
    CONSTRAINT attachments_pkey PRIMARY KEY (log_table),
    CONSTRAINT attachments_id_key UNIQUE (id)
);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.attachments', '');
SELECT pg_catalog.pg_extension_config_dump('logintel_internal.attachments_id_seq', '');

COMMENT ON TABLE logintel_internal.attachments IS 'The attached log tables. Written by attach() and detach().';
COMMENT ON COLUMN logintel_internal.attachments.log_table IS 'The log table.';
COMMENT ON COLUMN logintel_internal.attachments.id IS 'Number of the attachment, which no other one gets.';
COMMENT ON COLUMN logintel_internal.attachments.columns IS 'Which of its columns holds which field: {"field": "column", ...}.';
COMMENT ON COLUMN logintel_internal.attachments.manages_partitions IS 'Whether maintain() creates and drops its daily partitions.';
COMMENT ON COLUMN logintel_internal.attachments.reconciled_tables IS 'The table and its partitions when reconcile() last compared lines and predictions; null before it did.';
COMMENT ON COLUMN logintel_internal.attachments.attached_at IS 'When it was attached.';
COMMENT ON COLUMN logintel_internal.attachments.attached_by IS 'By which role.';
COMMENT ON COLUMN logintel_internal.attachments.column_numbers IS 'The numbers of these columns in the table (pg_attribute.attnum), by which the upkeep finds one that was renamed.';
COMMENT ON COLUMN logintel_internal.attachments.time_zone IS 'The zone of times without one, whoever writes or reads them.';
COMMENT ON COLUMN logintel_internal.attachments.level_scale IS 'Which level a number stands for in its column of levels: {"30": "WARN", ...}; empty where level_names tells.';
COMMENT ON COLUMN logintel_internal.attachments.paths IS 'Where in a column of type json or jsonb a field stands: {"field": [["key", "key below"], ...], ...}, the first path that leads to something; without one, all of it.';
