-- Lines that wait change nothing that was measured, so they are counted when somebody reads. A version that was in force
-- while all lines of an hour waited has a row too. Lines may claim any time, the last hour of all too, which has no next.
CREATE OR REPLACE VIEW logintel.ml_model_metrics AS
WITH waiting AS (
    SELECT date_trunc('hour', q.queued_at, 'UTC') AS hour, count(DISTINCT (q.attachment_id, q.log_entry_id))::double precision AS lines
    FROM logintel_internal.pending q GROUP BY 1),
windows AS (
    SELECT m.name, m.version, m.window_start, m.predictions, m.hour_lines / nullif(m.hour_lines + coalesce(w.lines, 0), 0) AS coverage,
           m.feedback_lines, m.accuracy, m.declared_lines, m.declared_accuracy, m."precision", m.recall, m.false_positive_rate,
           m.calibration_error, m.declared_calibration_error, m.mean_confidence, m.abstained_share, m.latency_mean_us,
           m.latency_p95_us, m.latency_max_us, m.known_share, m.failures, m.measured_at
    FROM logintel_internal.model_metrics m LEFT JOIN waiting w ON w.hour = m.window_start
    UNION ALL
    SELECT m.name, m.version, w.hour, 0, 0, 0, NULL, CASE m.name WHEN 'level' THEN 0 END, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, NULL, 0, now()
    FROM waiting w
    CROSS JOIN LATERAL (SELECT d.model_set_id FROM logintel_internal.deployments d
                        WHERE d.deployed_at < w.hour + interval '1 hour' ORDER BY d.id DESC LIMIT 1) AS d
    JOIN logintel_internal.model_sets s ON s.id = d.model_set_id
    JOIN logintel_internal.models m ON m.id = ANY (s.model_ids)
    WHERE NOT EXISTS (SELECT FROM logintel_internal.model_metrics o
                      WHERE o.window_start = w.hour AND o.name = m.name AND o.version = m.version))
SELECT m.name, m.version, m.window_start,
       CASE WHEN m.window_start < '294276-12-31 23:00Z' THEN m.window_start + interval '1 hour' ELSE 'infinity' END AS window_end,
       m.predictions, m.coverage, m.feedback_lines, m.accuracy, m.declared_lines, m.declared_accuracy,
       m."precision", m.recall, m.false_positive_rate, m.calibration_error, m.declared_calibration_error,
       m.mean_confidence, m.abstained_share, m.latency_mean_us, m.latency_p95_us, m.latency_max_us, m.known_share, m.failures, m.measured_at,
       m.window_start AS "time"
FROM windows m
ORDER BY m.window_start DESC, m.name, m.version;

COMMENT ON VIEW logintel.ml_model_metrics IS 'How each model version did in each hour, newest first, measured by the upkeep. An hour follows its lines and the verdicts on them, under the settings that were in force when its first lines were measured; one whose lines are gone keeps its figures. Null where the data cannot give a figure.';
COMMENT ON COLUMN logintel.ml_model_metrics.name IS 'level, category or anomaly.';
COMMENT ON COLUMN logintel.ml_model_metrics.version IS 'Version that scored the lines, whatever rescore() shows of them since.';
COMMENT ON COLUMN logintel.ml_model_metrics."time" IS 'The same as window_start: charts ask for it by this name.';
COMMENT ON COLUMN logintel.ml_model_metrics.window_start IS 'Start of the hour, UTC, by the timestamp of the lines.';
COMMENT ON COLUMN logintel.ml_model_metrics.window_end IS 'Its end; infinity where there is none.';
COMMENT ON COLUMN logintel.ml_model_metrics.predictions IS 'Lines that the version scored.';
COMMENT ON COLUMN logintel.ml_model_metrics.coverage IS 'Share of lines with a prediction of any version, 0 to 1. The lines without one are those that still wait, at the time of reading, and were queued in this hour.';
COMMENT ON COLUMN logintel.ml_model_metrics.feedback_lines IS 'Lines with a verdict on what the model predicts: on the line itself, else on its template.';
COMMENT ON COLUMN logintel.ml_model_metrics.accuracy IS 'Share of the lines with a verdict that the model got right.';
COMMENT ON COLUMN logintel.ml_model_metrics.declared_lines IS 'Lines that declare a level which is known. Level model only.';
COMMENT ON COLUMN logintel.ml_model_metrics.declared_accuracy IS 'Share of them that the model gives the declared level: agreement with sources that may be wrong. Level model only.';
COMMENT ON COLUMN logintel.ml_model_metrics."precision" IS 'Of the lines with a verdict that reached the anomaly threshold, the share that are anomalies. Anomaly model only.';
COMMENT ON COLUMN logintel.ml_model_metrics.recall IS 'Of the lines judged to be anomalies, the share that reached the threshold. Anomaly model only.';
COMMENT ON COLUMN logintel.ml_model_metrics.false_positive_rate IS 'Of the lines judged to be no anomalies, the share that reached the threshold. Anomaly model only.';
COMMENT ON COLUMN logintel.ml_model_metrics.calibration_error IS 'Expected calibration error against feedback: how far confidence is from accuracy, mean over ten bins of equal width, weighted by lines. Level and category models.';
COMMENT ON COLUMN logintel.ml_model_metrics.declared_calibration_error IS 'The same against declared levels. Level model only.';
COMMENT ON COLUMN logintel.ml_model_metrics.mean_confidence IS 'Mean confidence of the predictions, 0 to 1; of an anomaly model, in saying whether a line is one under the threshold of the hour.';
COMMENT ON COLUMN logintel.ml_model_metrics.abstained_share IS 'Share of the predictions below the minimum confidence of the hour. Level model only.';
COMMENT ON COLUMN logintel.ml_model_metrics.latency_mean_us IS 'Mean time, in microseconds, of scoring a shape that a line waited for: shapes scored in this hour that lines have, all models of the set together. Null where all shapes were known.';
COMMENT ON COLUMN logintel.ml_model_metrics.latency_p95_us IS '95th percentile of that time, from a histogram: exact to about 2 %, 4.5 % at worst.';
COMMENT ON COLUMN logintel.ml_model_metrics.latency_max_us IS 'Maximum of that time.';
COMMENT ON COLUMN logintel.ml_model_metrics.known_share IS 'Share of the predictions that needed no model: all but the first line of each shape that a line had to wait for. A first line that was deleted since still counts as one.';
COMMENT ON COLUMN logintel.ml_model_metrics.failures IS 'Lines that inserts in this hour left waiting because scoring failed; they count although they may have been scored since.';
COMMENT ON COLUMN logintel.ml_model_metrics.measured_at IS 'When the hour was last measured.';
