CREATE OR REPLACE VIEW logintel.ml_stats_by_level AS
SELECT s.predicted_level AS level, sum(c.lines)::bigint AS predictions,
       (sum(c.lines) / sum(sum(c.lines)) OVER (PARTITION BY a.log_table))::double precision AS share,
       sum(s.level_confidence * c.lines) / sum(c.lines)::double precision AS average_confidence,
       coalesce(sum(c.lines) FILTER (WHERE s.is_anomaly), 0)::bigint AS anomalies,
       coalesce(sum(c.lines) FILTER (WHERE s.is_correction), 0)::bigint AS corrections,
       a.log_table
FROM logintel_internal._score_counts c
JOIN logintel_internal._scores_now s USING (score_id)
JOIN logintel_internal.attachments a ON a.id = logintel._attachment_of(c.score_id)
LEFT JOIN logintel_internal.levels v ON v.level = s.predicted_level
GROUP BY a.log_table, s.predicted_level, v.severity_number
ORDER BY v.severity_number DESC NULLS LAST;

COMMENT ON VIEW logintel.ml_stats_by_level IS 'Predictions by log table and predicted level, most severe first.';
COMMENT ON COLUMN logintel.ml_stats_by_level.level IS 'Predicted level.';
COMMENT ON COLUMN logintel.ml_stats_by_level.predictions IS 'Lines.';
COMMENT ON COLUMN logintel.ml_stats_by_level.share IS 'Share of all predictions of the log table, 0 to 1.';
COMMENT ON COLUMN logintel.ml_stats_by_level.average_confidence IS 'Mean confidence of the level, 0 to 1.';
COMMENT ON COLUMN logintel.ml_stats_by_level.anomalies IS 'Anomalies among them.';
COMMENT ON COLUMN logintel.ml_stats_by_level.corrections IS 'Lines that had declared another level.';
COMMENT ON COLUMN logintel.ml_stats_by_level.log_table IS 'The log table of the lines.';
