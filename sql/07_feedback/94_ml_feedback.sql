-- Beside each verdict, what the models in force say of its shape: whoever trains with feedback sees here what it changed.
CREATE OR REPLACE VIEW logintel.ml_feedback AS
SELECT f.id, f.scope, f.log_entry_id, (f.shape).service AS service, (f.shape).template AS template,
       CASE f.scope WHEN 'line' THEN logintel.normalize_level((f.shape).level) ELSE f.declared_level END AS declared_level,
       f.true_level, f.true_category, f.is_anomaly, f.note, f.given_at, f.given_by, f.is_current,
       s.predicted_level, s.category AS predicted_category, s.is_anomaly AS predicted_anomaly,
       (f.true_level IS NULL OR f.true_level = s.predicted_level)
           AND (f.true_category IS NULL OR f.true_category = s.category)
           AND (f.is_anomaly IS NULL OR f.is_anomaly = s.is_anomaly) AS agrees,
       (SELECT a.log_table FROM logintel_internal.attachments a WHERE a.id = f.attachment_id) AS log_table
FROM logintel_internal.feedback f
LEFT JOIN LATERAL (
    SELECT k.id FROM logintel_internal.scores k
    WHERE k.model_set_id = (SELECT i.model_set_id FROM logintel_internal._in_force i LIMIT 1)
      AND k.shape_hash = f.shape_hash AND k.evicted_txid IS NULL
    LIMIT 1) AS k ON true
LEFT JOIN logintel_internal._scores_now s ON s.score_id = k.id
WHERE NOT (SELECT logintel._hides_lines()) OR f.log_entry_id IS NULL
   OR logintel._is_visible(f.attachment_id, f.log_entry_id, NULL, NULL)
ORDER BY f.id DESC;

COMMENT ON VIEW logintel.ml_feedback IS 'Every verdict with its history, newest first, and what the models in force say of the same shape.';
COMMENT ON COLUMN logintel.ml_feedback.id IS 'Order of the verdicts.';
COMMENT ON COLUMN logintel.ml_feedback.scope IS 'line: of that line alone. template: of every line of its template, where no verdict on the line itself says otherwise.';
COMMENT ON COLUMN logintel.ml_feedback.log_entry_id IS 'Key of the line that the verdict was given on; null where it was given on a template alone, and once the log table was detached or emptied.';
COMMENT ON COLUMN logintel.ml_feedback.service IS 'Service of that line; of a verdict on a template alone, of most of its lines.';
COMMENT ON COLUMN logintel.ml_feedback.template IS 'The masked message.';
COMMENT ON COLUMN logintel.ml_feedback.declared_level IS 'Level that the line declares, normalised. For a template: the verdict is of the lines that declare this level; null for all of them.';
COMMENT ON COLUMN logintel.ml_feedback.true_level IS 'Level that they have in truth; null where the verdict is about something else.';
COMMENT ON COLUMN logintel.ml_feedback.true_category IS 'Category that they have in truth.';
COMMENT ON COLUMN logintel.ml_feedback.is_anomaly IS 'Whether they are anomalies in truth.';
COMMENT ON COLUMN logintel.ml_feedback.note IS 'What was said of it.';
COMMENT ON COLUMN logintel.ml_feedback.given_at IS 'When.';
COMMENT ON COLUMN logintel.ml_feedback.given_by IS 'By which role.';
COMMENT ON COLUMN logintel.ml_feedback.is_current IS 'False once a newer verdict took its place, or it was withdrawn.';
COMMENT ON COLUMN logintel.ml_feedback.predicted_level IS 'Level that the models in force predict for that shape; null where they have not scored it.';
COMMENT ON COLUMN logintel.ml_feedback.predicted_category IS 'Category that they predict for it.';
COMMENT ON COLUMN logintel.ml_feedback.predicted_anomaly IS 'Whether they take it for an anomaly.';
COMMENT ON COLUMN logintel.ml_feedback.agrees IS 'Whether that is all that the verdict says; null where there is no prediction of what it speaks of.';
COMMENT ON COLUMN logintel.ml_feedback.log_table IS 'The log table of the line in which it was given; null once that is detached. A verdict on a template is of that template in all log tables.';
