-- By the time of the line, or of its prediction where the log table holds no time. What a score says is worked out
-- once, not for each hour that has it.
CREATE OR REPLACE VIEW logintel.ml_stats_by_hour AS
WITH scores AS MATERIALIZED (
    SELECT s.score_id, s.predicted_level, s.level_confidence, s.is_anomaly, s.is_correction FROM logintel._scores_now s)
SELECT c.hour AS "time", sum(c.lines)::bigint AS predictions,
       coalesce(sum(c.lines) FILTER (WHERE s.predicted_level = 'DEBUG'), 0)::bigint AS debug,
       coalesce(sum(c.lines) FILTER (WHERE s.predicted_level = 'INFO'), 0)::bigint AS info,
       coalesce(sum(c.lines) FILTER (WHERE s.predicted_level = 'WARN'), 0)::bigint AS warn,
       coalesce(sum(c.lines) FILTER (WHERE s.predicted_level = 'ERROR'), 0)::bigint AS error,
       coalesce(sum(c.lines) FILTER (WHERE s.predicted_level = 'FATAL'), 0)::bigint AS fatal,
       coalesce(sum(c.lines) FILTER (WHERE s.is_anomaly), 0)::bigint AS anomalies,
       coalesce(sum(c.lines) FILTER (WHERE s.is_correction), 0)::bigint AS corrections,
       sum(s.level_confidence * c.lines) / sum(c.lines)::double precision AS average_confidence
FROM (SELECT h.hour, h.score_id, h.lines FROM logintel.hourly_counts h
      UNION ALL
      SELECT u.hour, u.score_id, u.lines FROM logintel._uncounted() u) AS c
JOIN scores s USING (score_id)
GROUP BY c.hour
HAVING sum(c.lines) > 0
ORDER BY c.hour;

COMMENT ON VIEW logintel.ml_stats_by_hour IS 'Predictions by the hour of their lines, oldest first.';
COMMENT ON COLUMN logintel.ml_stats_by_hour."time" IS 'Start of the hour, by the timestamp of the line.';
COMMENT ON COLUMN logintel.ml_stats_by_hour.predictions IS 'Lines.';
COMMENT ON COLUMN logintel.ml_stats_by_hour.debug IS 'Lines predicted DEBUG.';
COMMENT ON COLUMN logintel.ml_stats_by_hour.info IS 'Lines predicted INFO.';
COMMENT ON COLUMN logintel.ml_stats_by_hour.warn IS 'Lines predicted WARN.';
COMMENT ON COLUMN logintel.ml_stats_by_hour.error IS 'Lines predicted ERROR.';
COMMENT ON COLUMN logintel.ml_stats_by_hour.fatal IS 'Lines predicted FATAL.';
COMMENT ON COLUMN logintel.ml_stats_by_hour.anomalies IS 'Lines predicted to be anomalies.';
COMMENT ON COLUMN logintel.ml_stats_by_hour.corrections IS 'Lines whose declared level the prediction corrects, whatever feedback says of them.';
COMMENT ON COLUMN logintel.ml_stats_by_hour.average_confidence IS 'Mean confidence of the predicted levels, 0 to 1.';
