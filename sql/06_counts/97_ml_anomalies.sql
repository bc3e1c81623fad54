-- A filter of its reader's, and an ORDER BY with a LIMIT, reach the indexes of the predictions: nothing stands between,
-- and the time is theirs.
--
-- A line is looked up by its key, whatever the planner thinks of how many there are: it may not pull up what has an
-- order. Else it takes anomalies for so frequent that it merges all lines with all predictions to find the first ones.
CREATE OR REPLACE VIEW logintel.ml_anomalies AS
SELECT p.log_entry_id, p."timestamp", p.service, l.host, p.anomaly_type, p.anomaly_score, p.severity,
       p.predicted_level, p.category, l.http_status, l.response_time_ms, l.message, p.template,
       p.model_version, p.predicted_at, p.log_table
FROM logintel_internal._predictions_now p
CROSS JOIN LATERAL (
    SELECT l.host, l.http_status, l.response_time_ms, l.message FROM logintel._log_lines() l
    WHERE l.id = p.log_entry_id AND pg_catalog.int4eq(l.attachment_id, p.attachment_id)
      AND logintel._is_time_of(l."timestamp", p."timestamp", p.predicted_at)
    ORDER BY l.id) l
WHERE p.is_anomaly;

COMMENT ON VIEW logintel.ml_anomalies IS 'Lines predicted to be anomalies. The newest: ORDER BY "timestamp" DESC with a LIMIT.';
COMMENT ON COLUMN logintel.ml_anomalies.log_entry_id IS 'Key of the line.';
COMMENT ON COLUMN logintel.ml_anomalies."timestamp" IS 'When the line was written at its source; of a line without a time, when it was scored.';
COMMENT ON COLUMN logintel.ml_anomalies.service IS 'Service of the line.';
COMMENT ON COLUMN logintel.ml_anomalies.host IS 'Host of the line.';
COMMENT ON COLUMN logintel.ml_anomalies.anomaly_type IS 'Kind of anomaly.';
COMMENT ON COLUMN logintel.ml_anomalies.anomaly_score IS 'How anomalous, 0 to 1.';
COMMENT ON COLUMN logintel.ml_anomalies.severity IS 'critical, high or medium.';
COMMENT ON COLUMN logintel.ml_anomalies.predicted_level IS 'Predicted level.';
COMMENT ON COLUMN logintel.ml_anomalies.category IS 'Likeliest category.';
COMMENT ON COLUMN logintel.ml_anomalies.http_status IS 'HTTP status of the line.';
COMMENT ON COLUMN logintel.ml_anomalies.response_time_ms IS 'Response time of the line in milliseconds.';
COMMENT ON COLUMN logintel.ml_anomalies.message IS 'The message.';
COMMENT ON COLUMN logintel.ml_anomalies.template IS 'The masked message.';
COMMENT ON COLUMN logintel.ml_anomalies.model_version IS 'The models that made the prediction.';
COMMENT ON COLUMN logintel.ml_anomalies.predicted_at IS 'When it was made.';
COMMENT ON COLUMN logintel.ml_anomalies.log_table IS 'The line''s log table.';
