-- What the rest reads instead of the log table. attach() replaces it by one over the attached table.
CREATE VIEW logintel.log_lines AS
SELECT NULL::bigint AS id, NULL::timestamptz AS "timestamp", NULL::text AS level, NULL::text AS message,
       NULL::text AS source_type, NULL::text AS host, NULL::text AS service, NULL::text AS category,
       NULL::boolean AS is_anomaly, NULL::text AS anomaly_type,
       NULL::integer AS http_status, NULL::double precision AS response_time_ms
WHERE false;

COMMENT ON VIEW logintel.log_lines IS 'The lines of the attached log table, under the names that logintel uses.';
COMMENT ON COLUMN logintel.log_lines.id IS 'Key of the line.';
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
