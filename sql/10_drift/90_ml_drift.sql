-- What all lines show is told the same day. A burst or an incident that they hardly show is large for one service, and over
-- in a day or two, which drift is not: a service takes days in a row at watch_from or above.
CREATE OR REPLACE VIEW logintel.ml_drift AS
SELECT m.name, m.version, d.day, d.service, d.measure,
       CASE WHEN d.value >= d.drift_from AND running.days >= required.days THEN 'drift'
            WHEN d.value >= d.watch_from AND running.days >= required.days
                 OR d.value >= d.drift_from AND running.days >= required.days - 1 THEN 'watch'
            ELSE 'none' END AS state,
       d.value, d.usual, d.watch_from, d.drift_from, d.lines, d.evidence, d.judged_at,
       d.day::timestamp AT TIME ZONE 'UTC' AS "time"
FROM logintel_internal.drift d
JOIN logintel_internal.models m ON m.id = d.model_id
CROSS JOIN LATERAL (SELECT CASE WHEN d.service IS NULL THEN 1 ELSE 3 END AS days) AS required
CROSS JOIN LATERAL (
    SELECT CASE WHEN d.value < d.watch_from THEN 0 WHEN NOT bool_or(b.day = d.day - 1) THEN 1 ELSE 1 + count(b.day) END AS days
    FROM logintel_internal.drift b
    WHERE b.model_id = d.model_id AND b.measure = d.measure AND b.day < d.day AND b.day >= d.day - 2
      AND b.service IS NOT DISTINCT FROM d.service AND b.value >= b.watch_from AND d.value >= d.watch_from) AS running
ORDER BY d.day DESC, m.name, d.service NULLS FIRST, d.measure;

COMMENT ON VIEW logintel.ml_drift IS 'How far the lines of each day are from those that the models were trained on, newest day first. For a single service, what is over after a day or two is no drift.';
COMMENT ON COLUMN logintel.ml_drift.name IS 'level, category or anomaly.';
COMMENT ON COLUMN logintel.ml_drift.version IS 'The version that served the lines.';
COMMENT ON COLUMN logintel.ml_drift."time" IS 'Where that day begins: charts ask for it by this name.';
COMMENT ON COLUMN logintel.ml_drift.day IS 'The day, UTC, by the time of the lines.';
COMMENT ON COLUMN logintel.ml_drift.service IS 'The service whose lines are judged, digits in it as #; null for all lines.';
COMMENT ON COLUMN logintel.ml_drift.measure IS 'classes and confidence: what the model predicts and how sure it is. services: the mix of known services. new_templates, unknown_words, new_services: what the training lines did not have.';
COMMENT ON COLUMN logintel.ml_drift.state IS 'Of all lines: drift at drift_from or above, watch at watch_from or above, else none. Of a service: drift on the third day in a row at watch_from or above, where it is at drift_from; watch on the second such day, or on the third below drift_from.';
COMMENT ON COLUMN logintel.ml_drift.value IS 'Population stability index of classes, confidence and services; share of the lines, or of their words, of the others.';
COMMENT ON COLUMN logintel.ml_drift.usual IS 'The most that the training lines strayed by themselves from day to day; null where they were too few to tell.';
COMMENT ON COLUMN logintel.ml_drift.watch_from IS 'The value to watch from.';
COMMENT ON COLUMN logintel.ml_drift.drift_from IS 'The value that is drift where it lasts.';
COMMENT ON COLUMN logintel.ml_drift.lines IS 'Lines judged.';
COMMENT ON COLUMN logintel.ml_drift.evidence IS 'The rows behind the value, at most ten: shares before (in training) and now, or what is new, with its lines.';
COMMENT ON COLUMN logintel.ml_drift.judged_at IS 'When.';
