CREATE VIEW logintel.ml_anomalies AS
SELECT p.log_entry_id, l."timestamp", s.service, l.host, s.anomaly_type, s.anomaly_score, s.severity,
       s.predicted_level, s.category, l.http_status, l.response_time_ms, l.message, s.template,
       s.model_version, p.predicted_at
FROM (SELECT c.hour, array_agg(c.score_id) AS score_ids
      FROM logintel.score_counts_by_hour c
      WHERE c.score_id = ANY (ARRAY(SELECT s.score_id FROM logintel.scored_shapes s WHERE s.is_anomaly))
      GROUP BY c.hour) AS h
CROSS JOIN LATERAL (SELECT p.* FROM logintel.predictions p
                    WHERE p."timestamp" >= h.hour AND p."timestamp" < h.hour + interval '1 hour'
                      AND p.score_id = ANY (h.score_ids) OFFSET 0) AS p
JOIN logintel.scored_shapes s ON s.score_id = p.score_id
JOIN logintel.log_lines l ON l.id = p.log_entry_id
ORDER BY h.hour DESC, p.predicted_at DESC;

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
