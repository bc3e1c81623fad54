CREATE OR REPLACE VIEW logintel.ml_anomalies AS
SELECT (a.line).* FROM (SELECT logintel._anomalous_lines() AS line) AS a;

COMMENT ON VIEW logintel.ml_anomalies IS 'Lines predicted to be anomalies, newest first.';
COMMENT ON COLUMN logintel.ml_anomalies.log_entry_id IS 'Key of the line.';
COMMENT ON COLUMN logintel.ml_anomalies."timestamp" IS 'When the line was written at its source.';
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
