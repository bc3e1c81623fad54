CREATE OR REPLACE VIEW logintel.ml_stats_by_severity AS
SELECT s.severity, sum(c.lines)::bigint AS predictions,
       (sum(c.lines) / sum(sum(c.lines)) OVER ())::double precision AS share,
       coalesce(sum(c.lines) FILTER (WHERE s.is_anomaly), 0)::bigint AS anomalies
FROM logintel.score_counts c
JOIN logintel.scored_shapes s USING (score_id)
GROUP BY s.severity
ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], s.severity);

COMMENT ON VIEW logintel.ml_stats_by_severity IS 'Predictions by severity, worst first.';
COMMENT ON COLUMN logintel.ml_stats_by_severity.severity IS 'critical, high, medium or low.';
COMMENT ON COLUMN logintel.ml_stats_by_severity.predictions IS 'Lines.';
COMMENT ON COLUMN logintel.ml_stats_by_severity.share IS 'Share of all predictions, 0 to 1.';
COMMENT ON COLUMN logintel.ml_stats_by_severity.anomalies IS 'Anomalies among them.';
