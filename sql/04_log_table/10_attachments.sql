-- Which table holds the logs. The triggers in 80_apply_attachment.sql write the functions that read it from this row,
-- also when a restore loads it.
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
    CONSTRAINT attachments_pkey PRIMARY KEY (log_table)
);
CREATE UNIQUE INDEX attachments_one_key ON logintel_internal.attachments ((true));

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.attachments', '');

COMMENT ON TABLE logintel_internal.attachments IS 'The attached log table: at most one row. Written by attach() and detach().';
COMMENT ON COLUMN logintel_internal.attachments.log_table IS 'The log table.';
COMMENT ON COLUMN logintel_internal.attachments.columns IS 'Which of its columns holds which field: {"field": "column", ...}.';
COMMENT ON COLUMN logintel_internal.attachments.manages_partitions IS 'Whether maintain() creates and drops its daily partitions.';
COMMENT ON COLUMN logintel_internal.attachments.reconciled_tables IS 'The table and its partitions when reconcile() last compared lines and predictions; null before it did.';
COMMENT ON COLUMN logintel_internal.attachments.attached_at IS 'When it was attached.';
COMMENT ON COLUMN logintel_internal.attachments.attached_by IS 'By which role.';
COMMENT ON COLUMN logintel_internal.attachments.column_numbers IS 'The numbers of these columns in the table (pg_attribute.attnum), by which the upkeep finds one that was renamed.';
COMMENT ON COLUMN logintel_internal.attachments.time_zone IS 'The zone of times without one, whoever writes or reads them.';
COMMENT ON COLUMN logintel_internal.attachments.level_scale IS 'Which level a number stands for in its column of levels: {"30": "WARN", ...}; empty where level_names tells.';
COMMENT ON COLUMN logintel_internal.attachments.paths IS 'Where in a column of type json or jsonb a field stands: {"field": [["key", "key below"], ...], ...}, the first path that leads to something; without one, all of it.';
