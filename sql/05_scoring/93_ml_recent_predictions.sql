CREATE OR REPLACE VIEW logintel.ml_recent_predictions AS
SELECT p.log_entry_id, p."timestamp", p.service, l.host, p.declared_level, p.predicted_level, p.level_confidence,
       p.category, p.is_anomaly, p.anomaly_score, p.anomaly_type, p.severity, l.message, p.model_version,
       p.predicted_at, p.log_table
FROM logintel_internal._predictions_now p
JOIN logintel._log_lines() l ON l.id = p.log_entry_id AND pg_catalog.int4eq(l.attachment_id, p.attachment_id)
    AND logintel._is_time_of(l."timestamp", p."timestamp", p.predicted_at)
WHERE p.predicted_at >= now() - interval '24 hours';

COMMENT ON VIEW logintel.ml_recent_predictions IS 'Predictions of the last 24 hours with their lines. The newest: ORDER BY "timestamp" DESC with a LIMIT.';
COMMENT ON COLUMN logintel.ml_recent_predictions.log_entry_id IS 'Key of the line.';
COMMENT ON COLUMN logintel.ml_recent_predictions."timestamp" IS 'When the line was written at its source; of a line without a time, when it was scored.';
COMMENT ON COLUMN logintel.ml_recent_predictions.service IS 'Service of the line.';
COMMENT ON COLUMN logintel.ml_recent_predictions.host IS 'Host of the line.';
COMMENT ON COLUMN logintel.ml_recent_predictions.declared_level IS 'Level that the source declared, normalised.';
COMMENT ON COLUMN logintel.ml_recent_predictions.predicted_level IS 'Predicted level.';
COMMENT ON COLUMN logintel.ml_recent_predictions.level_confidence IS 'Probability of the predicted level.';
COMMENT ON COLUMN logintel.ml_recent_predictions.category IS 'Likeliest category.';
COMMENT ON COLUMN logintel.ml_recent_predictions.is_anomaly IS 'Whether the line is an anomaly.';
COMMENT ON COLUMN logintel.ml_recent_predictions.anomaly_score IS 'How anomalous, 0 to 1.';
COMMENT ON COLUMN logintel.ml_recent_predictions.anomaly_type IS 'Kind of anomaly.';
COMMENT ON COLUMN logintel.ml_recent_predictions.severity IS 'critical, high, medium or low.';
COMMENT ON COLUMN logintel.ml_recent_predictions.message IS 'The message.';
COMMENT ON COLUMN logintel.ml_recent_predictions.model_version IS 'The models that made the prediction.';
COMMENT ON COLUMN logintel.ml_recent_predictions.predicted_at IS 'When it was made.';
COMMENT ON COLUMN logintel.ml_recent_predictions.log_table IS 'The line''s log table.';
