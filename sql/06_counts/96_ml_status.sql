-- Every line is scored or waits, so the two add up to the lines and nothing has to be counted; until the first
-- reconcile() there may be lines from before the attachment that are neither.
CREATE OR REPLACE VIEW logintel.ml_status AS
SELECT a.log_table IS NOT NULL AND d.models IS NOT NULL AND mode.value <> 'off' AS scoring,
       mode.value AS mode, a.log_table, d.models, d.level_version, d.level_accuracy, d.level_macro_f1,
       d.category_version, d.category_accuracy, d.anomaly_version, d.anomaly_accuracy, d.trained_at, d.samples,
       predictions.n + pending.n AS lines, predictions.n AS predictions, pending.n AS pending,
       predictions.n / nullif(predictions.n + pending.n, 0)::double precision AS coverage,
       logintel._latest_prediction(a.id) AS latest_prediction
FROM (SELECT s.value FROM logintel.settings s WHERE s.name = 'mode') AS mode
LEFT JOIN logintel_internal.attachments a ON true
CROSS JOIN (
    SELECT string_agg(format('%s %s', m.name, m.version), ', ' ORDER BY m.name) AS models,
           max(m.version) FILTER (WHERE m.name = 'level') AS level_version,
           max(m.accuracy) FILTER (WHERE m.name = 'level') AS level_accuracy,
           max(m.macro_f1) FILTER (WHERE m.name = 'level') AS level_macro_f1,
           max(m.version) FILTER (WHERE m.name = 'category') AS category_version,
           max(m.accuracy) FILTER (WHERE m.name = 'category') AS category_accuracy,
           max(m.version) FILTER (WHERE m.name = 'anomaly') AS anomaly_version,
           max(m.accuracy) FILTER (WHERE m.name = 'anomaly') AS anomaly_accuracy,
           max(m.trained_at) AS trained_at, max(m.samples) AS samples
    FROM logintel.ml_models m WHERE m.state = 'in force') AS d
LEFT JOIN (SELECT logintel._attachment_of(c.score_id) AS attachment_id, sum(c.lines)::bigint AS n
           FROM logintel_internal._score_counts c GROUP BY 1) AS counted ON counted.attachment_id = a.id
CROSS JOIN LATERAL (SELECT coalesce(counted.n, 0) AS n) AS predictions
CROSS JOIN LATERAL (
    SELECT CASE WHEN a.reconciled_tables IS NOT NULL THEN logintel._waiting_lines(a.id)
                ELSE (SELECT CASE WHEN c.n IS NOT NULL THEN greatest(c.n - predictions.n, 0) END
                      FROM logintel._count_lines(a.id) AS c (n)) END AS n) AS pending;

COMMENT ON VIEW logintel.ml_status IS 'Whether and how lines are scored, a row for each attached log table; one where there is none.';
COMMENT ON COLUMN logintel.ml_status.scoring IS 'Whether inserted lines are scored: a log table is attached, a model is deployed, and the mode is not off.';
COMMENT ON COLUMN logintel.ml_status.mode IS 'Setting mode: inline, deferred or off.';
COMMENT ON COLUMN logintel.ml_status.log_table IS 'The attached log table; null for none.';
COMMENT ON COLUMN logintel.ml_status.models IS 'The model versions in force.';
COMMENT ON COLUMN logintel.ml_status.level_version IS 'Version of the level model.';
COMMENT ON COLUMN logintel.ml_status.level_accuracy IS 'Its accuracy on templates that training had not seen.';
COMMENT ON COLUMN logintel.ml_status.level_macro_f1 IS 'Its macro-F1 on templates that training had not seen.';
COMMENT ON COLUMN logintel.ml_status.category_version IS 'Version of the category model.';
COMMENT ON COLUMN logintel.ml_status.category_accuracy IS 'Its accuracy on templates that training had not seen.';
COMMENT ON COLUMN logintel.ml_status.anomaly_version IS 'Version of the anomaly model.';
COMMENT ON COLUMN logintel.ml_status.anomaly_accuracy IS 'Its accuracy on templates that training had not seen; null where there were no labels.';
COMMENT ON COLUMN logintel.ml_status.trained_at IS 'When the newest of the models in force was trained.';
COMMENT ON COLUMN logintel.ml_status.samples IS 'Lines that it was trained on.';
COMMENT ON COLUMN logintel.ml_status.lines IS 'Lines in the log table.';
COMMENT ON COLUMN logintel.ml_status.predictions IS 'Lines that have a prediction.';
COMMENT ON COLUMN logintel.ml_status.pending IS 'Lines that have none yet; backfill() scores them. Null where the table cannot be read: doctor() says why.';
COMMENT ON COLUMN logintel.ml_status.coverage IS 'Share of the lines that have a prediction, 0 to 1.';
COMMENT ON COLUMN logintel.ml_status.latest_prediction IS 'When the latest prediction was made. Its line may be gone by now; where it went before a minute was over, it does not count.';
