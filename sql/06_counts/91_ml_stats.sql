CREATE OR REPLACE VIEW logintel.ml_stats AS
SELECT coalesce(sum(c.lines), 0)::bigint AS predictions,
       coalesce(sum(c.lines) FILTER (WHERE s.is_anomaly), 0)::bigint AS anomalies,
       (coalesce(sum(c.lines) FILTER (WHERE s.is_anomaly), 0)
            / nullif(sum(c.lines) FILTER (WHERE s.is_anomaly IS NOT NULL), 0))::double precision AS anomaly_rate,
       sum(s.level_confidence * c.lines) / nullif(sum(c.lines) FILTER (WHERE s.level_confidence IS NOT NULL), 0)::double precision AS average_confidence,
       coalesce(sum(c.lines) FILTER (WHERE s.is_correction), 0)::bigint AS corrections,
       coalesce(sum(c.lines) FILTER (WHERE s.is_abstained), 0)::bigint AS abstained,
       (coalesce(sum(c.lines) FILTER (WHERE s.is_abstained), 0)
            / nullif(sum(c.lines) FILTER (WHERE s.is_abstained IS NOT NULL), 0))::double precision AS abstained_rate,
       count(DISTINCT s.template) AS templates,
       count(c.score_id) AS shapes,
       a.log_table
FROM (SELECT a.id, a.log_table FROM logintel_internal.attachments a
      UNION ALL
      SELECT NULL, NULL WHERE NOT EXISTS (SELECT FROM logintel_internal.attachments)) AS a
LEFT JOIN (logintel_internal._score_counts c JOIN logintel_internal._scores_now s USING (score_id)) ON logintel._attachment_of(c.score_id) = a.id
GROUP BY a.log_table;

COMMENT ON VIEW logintel.ml_stats IS 'All predictions, a row for each log table; one where there is none.';
COMMENT ON COLUMN logintel.ml_stats.predictions IS 'Lines that have a prediction.';
COMMENT ON COLUMN logintel.ml_stats.anomalies IS 'Lines predicted to be anomalies.';
COMMENT ON COLUMN logintel.ml_stats.anomaly_rate IS 'Their share of the lines that an anomaly model scored, 0 to 1.';
COMMENT ON COLUMN logintel.ml_stats.average_confidence IS 'Mean confidence of the predicted levels, 0 to 1.';
COMMENT ON COLUMN logintel.ml_stats.corrections IS 'Lines whose declared level the prediction corrects, whatever feedback says of them.';
COMMENT ON COLUMN logintel.ml_stats.abstained IS 'Lines whose level stays below the minimum confidence.';
COMMENT ON COLUMN logintel.ml_stats.abstained_rate IS 'Their share of the lines that a level model scored, 0 to 1.';
COMMENT ON COLUMN logintel.ml_stats.templates IS 'Distinct templates among the lines.';
COMMENT ON COLUMN logintel.ml_stats.shapes IS 'Distinct scores that the lines share.';
COMMENT ON COLUMN logintel.ml_stats.log_table IS 'The log table of the lines; null where none is attached.';
