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
       count(*) AS shapes
FROM logintel_internal._score_counts c
JOIN logintel_internal._scores_now s USING (score_id);

COMMENT ON VIEW logintel.ml_stats IS 'All predictions in one row.';
COMMENT ON COLUMN logintel.ml_stats.predictions IS 'Lines that have a prediction.';
COMMENT ON COLUMN logintel.ml_stats.anomalies IS 'Lines predicted to be anomalies.';
COMMENT ON COLUMN logintel.ml_stats.anomaly_rate IS 'Their share of the lines that an anomaly model scored, 0 to 1.';
COMMENT ON COLUMN logintel.ml_stats.average_confidence IS 'Mean confidence of the predicted levels, 0 to 1.';
COMMENT ON COLUMN logintel.ml_stats.corrections IS 'Lines whose declared level the prediction corrects, whatever feedback says of them.';
COMMENT ON COLUMN logintel.ml_stats.abstained IS 'Lines whose level stays below the minimum confidence.';
COMMENT ON COLUMN logintel.ml_stats.abstained_rate IS 'Their share of the lines that a level model scored, 0 to 1.';
COMMENT ON COLUMN logintel.ml_stats.templates IS 'Distinct templates among the lines.';
COMMENT ON COLUMN logintel.ml_stats.shapes IS 'Distinct scores that the lines share.';
