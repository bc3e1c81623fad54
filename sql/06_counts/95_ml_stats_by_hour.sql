-- By the time of the line, or of its prediction where the log table holds no time. What a score says is worked out
-- once; hours are added up one after the other, so that who wants the first ones does not pay for all.
CREATE OR REPLACE VIEW logintel.ml_stats_by_hour AS
WITH scores AS MATERIALIZED (
    SELECT s.score_id, s.predicted_level, s.level_confidence, s.is_anomaly, s.is_correction FROM logintel_internal._scores_now s),
uncounted AS MATERIALIZED (
    SELECT u.hour, u.score_id, u.lines FROM logintel._uncounted() u)
SELECT h.hour AS "time", c.predictions, c.debug, c.info, c.warn, c.error, c.fatal, c.anomalies, c.corrections,
       c.average_confidence, a.log_table
FROM (SELECT DISTINCT i.hour
      FROM (SELECT k.hour FROM logintel_internal.hourly_counts k UNION ALL SELECT u.hour FROM uncounted u) AS i) AS h
CROSS JOIN LATERAL (
    SELECT logintel._attachment_of(n.score_id) AS attachment_id, sum(n.lines)::bigint AS predictions,
           coalesce(sum(n.lines) FILTER (WHERE s.predicted_level = 'DEBUG'), 0)::bigint AS debug,
           coalesce(sum(n.lines) FILTER (WHERE s.predicted_level = 'INFO'), 0)::bigint AS info,
           coalesce(sum(n.lines) FILTER (WHERE s.predicted_level = 'WARN'), 0)::bigint AS warn,
           coalesce(sum(n.lines) FILTER (WHERE s.predicted_level = 'ERROR'), 0)::bigint AS error,
           coalesce(sum(n.lines) FILTER (WHERE s.predicted_level = 'FATAL'), 0)::bigint AS fatal,
           coalesce(sum(n.lines) FILTER (WHERE s.is_anomaly), 0)::bigint AS anomalies,
           coalesce(sum(n.lines) FILTER (WHERE s.is_correction), 0)::bigint AS corrections,
           sum(s.level_confidence * n.lines) / nullif(sum(n.lines), 0)::double precision AS average_confidence
    FROM (SELECT k.score_id, k.lines FROM logintel_internal.hourly_counts k WHERE k.hour = h.hour
          UNION ALL
          SELECT u.score_id, u.lines FROM uncounted u WHERE u.hour = h.hour) AS n
    JOIN scores s USING (score_id)
    GROUP BY 1) AS c
JOIN logintel_internal.attachments a ON a.id = c.attachment_id
WHERE c.predictions > 0
ORDER BY h.hour;

COMMENT ON VIEW logintel.ml_stats_by_hour IS 'Predictions by log table and the hour of their lines, oldest first.';
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
COMMENT ON COLUMN logintel.ml_stats_by_hour.log_table IS 'The log table of the lines.';
