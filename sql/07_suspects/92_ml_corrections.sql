-- What the models correct, save what a verdict rejects; what other verdicts say stands beside it. Verdicts on lines
-- that the models don't correct are in ml_feedback.
--
-- severity_gap tells the most dangerous: a FATAL hidden as DEBUG is what nobody would have seen. The evidence is what
-- the model gives each level, and how the other lines of the same template declare theirs.
CREATE OR REPLACE VIEW logintel.ml_corrections AS
SELECT (c.line).* FROM (SELECT logintel._corrected_lines() AS line) AS c;

COMMENT ON VIEW logintel.ml_corrections IS 'Lines whose declared level is corrected: by the models in force (is_correction of ml_predictions), or because their template is a suspect (ml_suspects). With the evidence; those that feedback rejects are left out.';
COMMENT ON COLUMN logintel.ml_corrections.log_entry_id IS 'Key of the line.';
COMMENT ON COLUMN logintel.ml_corrections."timestamp" IS 'When the line was written at its source.';
COMMENT ON COLUMN logintel.ml_corrections.service IS 'Service of the line.';
COMMENT ON COLUMN logintel.ml_corrections.host IS 'Host of the line.';
COMMENT ON COLUMN logintel.ml_corrections.declared_level IS 'Level that the source declared, normalised.';
COMMENT ON COLUMN logintel.ml_corrections.predicted_level IS 'Level that the message speaks of: of a suspect, as ml_suspects has it.';
COMMENT ON COLUMN logintel.ml_corrections.true_level IS 'Level that feedback says it has in truth: the predicted one where the correction was accepted; null where nobody said anything of it.';
COMMENT ON COLUMN logintel.ml_corrections.level_confidence IS 'Probability of the predicted level; of a suspect, the confidence of ml_suspects.';
COMMENT ON COLUMN logintel.ml_corrections.severity_gap IS 'Predicted minus declared severity number: 16 for a FATAL hidden as DEBUG, negative where the source exaggerates.';
COMMENT ON COLUMN logintel.ml_corrections.severity IS 'critical, high, medium or low.';
COMMENT ON COLUMN logintel.ml_corrections.message IS 'The message.';
COMMENT ON COLUMN logintel.ml_corrections.template IS 'The masked message.';
COMMENT ON COLUMN logintel.ml_corrections.template_lines IS 'Evidence: how many lines have this template.';
COMMENT ON COLUMN logintel.ml_corrections.template_declared_levels IS 'Evidence: how many of them declare each level; ? stands for unknown levels.';
COMMENT ON COLUMN logintel.ml_corrections.level_probabilities IS 'Evidence: the probability that the model gives each level.';
COMMENT ON COLUMN logintel.ml_corrections.model_version IS 'The models that made the prediction.';
COMMENT ON COLUMN logintel.ml_corrections.predicted_at IS 'When it was made.';
COMMENT ON COLUMN logintel.ml_corrections.reason IS 'differs_from_template: other lines of its template declare another kind of level. template_mislabelled: all of them declare such a level, and the models in force or ml_suspects say otherwise. source_stamps_one_level: so does all that its service writes.';
COMMENT ON COLUMN logintel.ml_corrections.log_table IS 'The line''s log table.';
