-- What the rest reads instead of the log tables. attach() replaces the function by one over the attached tables, whose
-- text the planner puts into the query, so that each table is read with the rights, and under the row-level security,
-- of who asks. A function of text depends on no table: whatever happens to a log table takes nothing else of
-- logintel's along.
CREATE OR REPLACE FUNCTION logintel._log_lines() RETURNS TABLE (
    id bigint, "timestamp" timestamptz, level text, message text, source_type text, host text, service text,
        category text,
    is_anomaly boolean, anomaly_type text, http_status integer, response_time_ms double precision,
    attachment_id integer, log_table regclass
)
LANGUAGE sql STABLE AS $function$
    SELECT NULL::pg_catalog.int8, NULL::pg_catalog.timestamptz, NULL::pg_catalog.text, NULL::pg_catalog.text,
           NULL::pg_catalog.text, NULL::pg_catalog.text, NULL::pg_catalog.text, NULL::pg_catalog.text,
           NULL::pg_catalog.bool, NULL::pg_catalog.text, NULL::pg_catalog.int4, NULL::pg_catalog.float8,
           NULL::pg_catalog.int4, NULL::pg_catalog.regclass WHERE false
$function$;

COMMENT ON FUNCTION logintel._log_lines() IS 'The lines of the attached log tables, read with the rights of the caller.';

CREATE OR REPLACE VIEW logintel.log_lines AS
SELECT l.id, l."timestamp", l.level, l.message, l.source_type, l.host, l.service, l.category, l.is_anomaly,
       l.anomaly_type, l.http_status, l.response_time_ms, l.log_table
FROM logintel._log_lines() l;

COMMENT ON VIEW logintel.log_lines IS 'The lines of the attached log tables that its reader may read there, under the names that logintel uses.';
COMMENT ON COLUMN logintel.log_lines.id IS 'Key of the line in its log table.';
COMMENT ON COLUMN logintel.log_lines."timestamp" IS 'When the line was written at its source.';
COMMENT ON COLUMN logintel.log_lines.level IS 'Level as the source wrote it.';
COMMENT ON COLUMN logintel.log_lines.message IS 'The message.';
COMMENT ON COLUMN logintel.log_lines.source_type IS 'Kind of source.';
COMMENT ON COLUMN logintel.log_lines.host IS 'Host that wrote the line.';
COMMENT ON COLUMN logintel.log_lines.service IS 'Service, component or logger that wrote the line.';
COMMENT ON COLUMN logintel.log_lines.category IS 'Category given by the source or by a person.';
COMMENT ON COLUMN logintel.log_lines.is_anomaly IS 'Whether the line is known to be anomalous.';
COMMENT ON COLUMN logintel.log_lines.anomaly_type IS 'The kind of anomaly it is known to be.';
COMMENT ON COLUMN logintel.log_lines.http_status IS 'HTTP status.';
COMMENT ON COLUMN logintel.log_lines.response_time_ms IS 'Response time in milliseconds.';
COMMENT ON COLUMN logintel.log_lines.log_table IS 'The log table of the line.';
