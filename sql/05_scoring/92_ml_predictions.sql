CREATE OR REPLACE VIEW logintel.ml_predictions AS
SELECT p.log_entry_id AS id, p.log_entry_id, p.predicted_level, p.level_confidence,
       p.category, p.category_confidence, p.labels,
       p.is_anomaly, p.anomaly_score, p.anomaly_confidence, p.anomaly_type, p.severity,
       p.model_version, p.predicted_at, p."timestamp",
       p.template, p.service, p.source_type, p.declared_level, p.is_correction, p.is_abstained,
       p.score_id, p.latency_us, p.rescored_at, p.log_table
FROM logintel_internal._predictions_now p;

COMMENT ON VIEW logintel.ml_predictions IS 'The prediction of every scored line that its reader may read in the log table.';
COMMENT ON COLUMN logintel.ml_predictions.id IS 'Key of the prediction: that of its line.';
COMMENT ON COLUMN logintel.ml_predictions.log_entry_id IS 'Key of the line in its log table.';
COMMENT ON COLUMN logintel.ml_predictions.predicted_level IS 'Level that the message speaks of: DEBUG, INFO, WARN, ERROR or FATAL.';
COMMENT ON COLUMN logintel.ml_predictions.level_confidence IS 'Probability of the predicted level, 0 to 1.';
COMMENT ON COLUMN logintel.ml_predictions.category IS 'Likeliest category; null without a category model.';
COMMENT ON COLUMN logintel.ml_predictions.category_confidence IS 'Probability of that category, 0 to 1.';
COMMENT ON COLUMN logintel.ml_predictions.labels IS 'All categories that apply.';
COMMENT ON COLUMN logintel.ml_predictions.is_anomaly IS 'Whether the anomaly score reaches the setting anomaly_threshold.';
COMMENT ON COLUMN logintel.ml_predictions.anomaly_score IS 'How anomalous the line is, 0 to 1; null without an anomaly model.';
COMMENT ON COLUMN logintel.ml_predictions.anomaly_confidence IS 'Confidence of is_anomaly, 0 to 1.';
COMMENT ON COLUMN logintel.ml_predictions.anomaly_type IS 'Kind of anomaly; null when the line is none.';
COMMENT ON COLUMN logintel.ml_predictions.severity IS 'critical, high, medium or low, from the predicted level and the anomaly.';
COMMENT ON COLUMN logintel.ml_predictions.model_version IS 'The models that made the prediction, such as "anomaly 1, level 3".';
COMMENT ON COLUMN logintel.ml_predictions.predicted_at IS 'Start of the transaction that scored the line.';
COMMENT ON COLUMN logintel.ml_predictions."timestamp" IS 'Time of the line, or of its prediction where the line has none; the key of the daily partitions.';
COMMENT ON COLUMN logintel.ml_predictions.template IS 'The masked message.';
COMMENT ON COLUMN logintel.ml_predictions.service IS 'Service of the line.';
COMMENT ON COLUMN logintel.ml_predictions.source_type IS 'Source type of the line.';
COMMENT ON COLUMN logintel.ml_predictions.declared_level IS 'Level that the source declared, normalised; null when unknown.';
COMMENT ON COLUMN logintel.ml_predictions.is_correction IS 'Whether the prediction corrects the declared level.';
COMMENT ON COLUMN logintel.ml_predictions.is_abstained IS 'Whether the level stays below the setting classification_min_confidence.';
COMMENT ON COLUMN logintel.ml_predictions.score_id IS 'The score in scores that the line shares with all lines of its shape.';
COMMENT ON COLUMN logintel.ml_predictions.latency_us IS 'What computing that score took, in microseconds; known shapes cost a look-up instead.';
COMMENT ON COLUMN logintel.ml_predictions.rescored_at IS 'When the models named scored the line''s shape again, by rescore(); null where they made the prediction at first.';
COMMENT ON COLUMN logintel.ml_predictions.log_table IS 'The line''s log table. Keys are unique within a table only. Its type is regclass, which shows the name that the table has now; compare it with ''schema.table''::regclass.';
