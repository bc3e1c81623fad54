CREATE OR REPLACE VIEW logintel.ml_stats_by_service AS
SELECT s.service, s.source_type, sum(c.lines)::bigint AS predictions,
       coalesce(sum(c.lines) FILTER (WHERE s.predicted_level IN ('ERROR', 'FATAL')), 0)::bigint AS errors,
       coalesce(sum(c.lines) FILTER (WHERE s.predicted_level = 'WARN'), 0)::bigint AS warnings,
       coalesce(sum(c.lines) FILTER (WHERE s.is_anomaly), 0)::bigint AS anomalies,
       coalesce(sum(c.lines) FILTER (WHERE s.is_correction), 0)::bigint AS corrections,
       sum(s.level_confidence * c.lines) / sum(c.lines)::double precision AS average_confidence,
       a.log_table
FROM logintel_internal._score_counts c
JOIN logintel_internal._scores_now s USING (score_id)
JOIN logintel_internal.attachments a ON a.id = logintel._attachment_of(c.score_id)
GROUP BY a.log_table, s.service, s.source_type
ORDER BY predictions DESC;

COMMENT ON VIEW logintel.ml_stats_by_service IS 'Predictions by log table and service, busiest first.';
COMMENT ON COLUMN logintel.ml_stats_by_service.service IS 'Service, component or logger; empty when the lines name none.';
COMMENT ON COLUMN logintel.ml_stats_by_service.source_type IS 'Kind of source; empty when the lines name none.';
COMMENT ON COLUMN logintel.ml_stats_by_service.predictions IS 'Lines.';
COMMENT ON COLUMN logintel.ml_stats_by_service.errors IS 'Lines predicted ERROR or FATAL.';
COMMENT ON COLUMN logintel.ml_stats_by_service.warnings IS 'Lines predicted WARN.';
COMMENT ON COLUMN logintel.ml_stats_by_service.anomalies IS 'Lines predicted to be anomalies.';
COMMENT ON COLUMN logintel.ml_stats_by_service.corrections IS 'Lines whose declared level the prediction corrects, whatever feedback says of them.';
COMMENT ON COLUMN logintel.ml_stats_by_service.average_confidence IS 'Mean confidence of the predicted levels, 0 to 1.';
COMMENT ON COLUMN logintel.ml_stats_by_service.log_table IS 'The log table of the lines.';
