-- A burst is over the next day, and drift is not: so a state takes days in a row at watch_from or above. An incident that
-- all lines hardly show is large for one service, and the next may come the day after: a service takes a day more.
CREATE VIEW logintel.ml_drift AS
SELECT m.name, m.version, d.day, d.service, d.measure,
       CASE WHEN d.value >= d.drift_from AND running.days >= 2 THEN 'drift'
            WHEN d.value >= d.drift_from AND running.days >= 1 OR running.days >= 2 THEN 'watch'
            ELSE 'none' END AS state,
       d.value, d.usual, d.watch_from, d.drift_from, d.lines, d.evidence, d.judged_at
FROM logintel.drift d
JOIN logintel.models m ON m.id = d.model_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN d.value < d.watch_from THEN 0 WHEN NOT bool_or(b.day = d.day - 1) THEN 1 ELSE coalesce(1 + count(b.day), 1) END
               - (d.service IS NOT NULL)::integer AS days
    FROM logintel.drift b
    WHERE b.model_id = d.model_id AND b.measure = d.measure AND b.day < d.day AND b.day >= d.day - 2
      AND b.service IS NOT DISTINCT FROM d.service AND b.value >= b.watch_from AND d.value >= d.watch_from) AS running
ORDER BY d.day DESC, m.name, d.service NULLS FIRST, d.measure;

COMMENT ON VIEW logintel.ml_drift IS 'How far the lines of each day are from those that the models were trained on, newest day first. What lasts is drift, what is over after a day is not.';
COMMENT ON COLUMN logintel.ml_drift.name IS 'level, category or anomaly.';
COMMENT ON COLUMN logintel.ml_drift.version IS 'The version that served the lines.';
COMMENT ON COLUMN logintel.ml_drift.day IS 'The day, UTC, by the time of the lines.';
COMMENT ON COLUMN logintel.ml_drift.service IS 'The service whose lines are judged, digits in it as #; null for all lines.';
COMMENT ON COLUMN logintel.ml_drift.measure IS 'classes and confidence: what the model predicts and how sure it is. services: the mix of known services. new_templates, unknown_words, new_services: what the training lines did not have.';
COMMENT ON COLUMN logintel.ml_drift.state IS 'drift: at drift_from or above, and at watch_from or above on the day before too. watch: at watch_from or above on both days, or at drift_from for one. Else none. A service takes a day more for each.';
COMMENT ON COLUMN logintel.ml_drift.value IS 'Population stability index of classes, confidence and services; share of the lines, or of their words, of the others.';
COMMENT ON COLUMN logintel.ml_drift.usual IS 'The most that the training lines strayed by themselves from day to day; null where they were too few to tell.';
COMMENT ON COLUMN logintel.ml_drift.watch_from IS 'The value to watch from.';
COMMENT ON COLUMN logintel.ml_drift.drift_from IS 'The value that is drift where it lasts.';
COMMENT ON COLUMN logintel.ml_drift.lines IS 'Lines judged.';
COMMENT ON COLUMN logintel.ml_drift.evidence IS 'The rows behind the value, at most ten: shares before (in training) and now, or what is new, with its lines.';
COMMENT ON COLUMN logintel.ml_drift.judged_at IS 'When.';
