-- A line has one prediction, so the key of the line is, in its log table, the key of the prediction too. What was
-- predicted of a line that was changed meanwhile is outdated, and there are few of these at any time.
--
-- Who joins lines by their keys compares the attachments by int4eq(): the planner takes an equality of expressions for
-- rare, and would join the lines by it.
CREATE OR REPLACE VIEW logintel_internal._predictions_now AS
SELECT p.log_entry_id, logintel._attachment_of(p.score_id) AS attachment_id, p.predicted_at, p."timestamp", s.*
FROM logintel_internal.predictions p
JOIN logintel_internal._scores_now s ON s.score_id = p.score_id
WHERE (p.log_entry_id <> ALL (ARRAY(SELECT q.log_entry_id FROM logintel_internal.pending q WHERE q.changed))
       OR NOT EXISTS (SELECT FROM logintel_internal.pending q WHERE q.changed AND q.log_entry_id = p.log_entry_id
                                                       AND q.attachment_id = logintel._attachment_of(p.score_id)))
  AND (NOT (SELECT logintel._hides_lines())
       OR logintel._is_visible(logintel._attachment_of(p.score_id), p.log_entry_id, p."timestamp", p.predicted_at));

COMMENT ON VIEW logintel_internal._predictions_now IS 'Lines that their reader may read in the log table, each with its score under the settings of the moment.';
COMMENT ON COLUMN logintel_internal._predictions_now.log_entry_id IS 'Key of the line.';
COMMENT ON COLUMN logintel_internal._predictions_now.predicted_at IS 'Start of the transaction that scored it.';
COMMENT ON COLUMN logintel_internal._predictions_now."timestamp" IS 'Time of the line, or of its prediction where the line has none.';
COMMENT ON COLUMN logintel_internal._predictions_now.score_id IS 'Identifies the score.';
COMMENT ON COLUMN logintel_internal._predictions_now.model_set_id IS 'Model set that gave it.';
COMMENT ON COLUMN logintel_internal._predictions_now.template IS 'The masked message.';
COMMENT ON COLUMN logintel_internal._predictions_now.service IS 'Service of the shape.';
COMMENT ON COLUMN logintel_internal._predictions_now.source_type IS 'Source type of the shape.';
COMMENT ON COLUMN logintel_internal._predictions_now.level IS 'Declared level as the source wrote it.';
COMMENT ON COLUMN logintel_internal._predictions_now.declared_level IS 'Declared level, normalised; null when unknown.';
COMMENT ON COLUMN logintel_internal._predictions_now.predicted_level IS 'Predicted level.';
COMMENT ON COLUMN logintel_internal._predictions_now.level_confidence IS 'Probability of the predicted level.';
COMMENT ON COLUMN logintel_internal._predictions_now.level_probabilities IS 'Probability of each level.';
COMMENT ON COLUMN logintel_internal._predictions_now.category IS 'Likeliest category.';
COMMENT ON COLUMN logintel_internal._predictions_now.category_confidence IS 'Probability of that category.';
COMMENT ON COLUMN logintel_internal._predictions_now.labels IS 'All categories that apply.';
COMMENT ON COLUMN logintel_internal._predictions_now.is_anomaly IS 'Whether the anomaly score reaches the threshold in force.';
COMMENT ON COLUMN logintel_internal._predictions_now.anomaly_score IS 'How anomalous, 0 to 1.';
COMMENT ON COLUMN logintel_internal._predictions_now.anomaly_confidence IS 'Confidence of is_anomaly, 0 to 1.';
COMMENT ON COLUMN logintel_internal._predictions_now.anomaly_type IS 'Kind of anomaly; null when it is none.';
COMMENT ON COLUMN logintel_internal._predictions_now.severity IS 'critical, high, medium or low.';
COMMENT ON COLUMN logintel_internal._predictions_now.is_correction IS 'Whether the predicted level corrects the declared one: one of DEBUG and INFO, WARN, or ERROR and FATAL takes the place of another, by the minimum confidence or, to lower a level, by half of what that leaves to certainty. A default model corrects only problems that the source declares as none: see model_sets.';
COMMENT ON COLUMN logintel_internal._predictions_now.is_abstained IS 'Whether the level stays below the minimum confidence.';
COMMENT ON COLUMN logintel_internal._predictions_now.model_version IS 'The models that gave the score.';
COMMENT ON COLUMN logintel_internal._predictions_now.latency_us IS 'What computing the score took, in microseconds.';
COMMENT ON COLUMN logintel_internal._predictions_now.rescored_at IS 'When these models scored it, where others had scored it first; else null.';
COMMENT ON COLUMN logintel_internal._predictions_now.attachment_id IS 'The attachment of the line''s log table.';
COMMENT ON COLUMN logintel_internal._predictions_now.log_table IS 'The line''s log table.';
