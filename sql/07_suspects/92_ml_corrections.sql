-- What the models correct, save what a verdict rejects; what other verdicts say stands beside it. Verdicts on lines
-- that the models don't correct are in ml_feedback.
--
-- severity_gap tells the most dangerous: a FATAL hidden as DEBUG is what nobody would have seen. The evidence is what
-- the model gives each level, and how the other lines of the same template declare theirs.
--
-- Which scores are corrected is asked once; lines are found by their time and score, and looked up, as in ml_anomalies.
-- Levels are not joined: the planner would take corrections for rare, and read all lines where somebody wants the first
-- ones.
CREATE OR REPLACE VIEW logintel.ml_corrections AS
SELECT p.log_entry_id, p."timestamp", p.service, l.host, p.declared_level,
       coalesce(c.suspected_level, p.predicted_level) AS predicted_level,
       coalesce(v.true_level, c.true_level) AS true_level,
       coalesce(c.confidence, p.level_confidence) AS level_confidence,
       (SELECT v.severity_number FROM logintel_internal.levels v
        WHERE v.level = coalesce(c.suspected_level, p.predicted_level))
       - (SELECT v.severity_number FROM logintel_internal.levels v WHERE v.level = p.declared_level)::integer
           AS severity_gap,
       logintel.severity(coalesce(c.suspected_level, p.predicted_level), p.is_anomaly) AS severity, l.message,
       p.template, c.template_lines,
       c.template_declared_levels, p.level_probabilities, p.model_version, p.predicted_at, c.reason,
       p.log_table,
       (p.level_probabilities ->> 'DEBUG')::real AS probability_debug,
       (p.level_probabilities ->> 'INFO')::real AS probability_info,
       (p.level_probabilities ->> 'WARN')::real AS probability_warn,
       (p.level_probabilities ->> 'ERROR')::real AS probability_error,
       (p.level_probabilities ->> 'FATAL')::real AS probability_fatal,
       coalesce((c.template_declared_levels ->> 'DEBUG')::bigint, 0) AS template_debug,
       coalesce((c.template_declared_levels ->> 'INFO')::bigint, 0) AS template_info,
       coalesce((c.template_declared_levels ->> 'WARN')::bigint, 0) AS template_warn,
       coalesce((c.template_declared_levels ->> 'ERROR')::bigint, 0) AS template_error,
       coalesce((c.template_declared_levels ->> 'FATAL')::bigint, 0) AS template_fatal
FROM logintel._corrected_scores() c
JOIN logintel_internal._predictions_now p ON p.score_id = c.score_id
CROSS JOIN LATERAL (
    SELECT l.host, l.message FROM logintel._log_lines() l
    WHERE l.id = p.log_entry_id AND pg_catalog.int4eq(l.attachment_id, p.attachment_id)
      AND logintel._is_time_of(l."timestamp", p."timestamp", p.predicted_at)
    ORDER BY l.id) l
LEFT JOIN logintel_internal._line_verdicts v ON v.log_entry_id = p.log_entry_id AND v.score_id = p.score_id
WHERE coalesce(v.true_level, c.true_level) IS DISTINCT FROM p.declared_level;

COMMENT ON VIEW logintel.ml_corrections IS 'Lines whose declared level is corrected: by the models in force (is_correction of ml_predictions), or because their template is a suspect (ml_suspects). With the evidence; those that feedback rejects are left out.';
COMMENT ON COLUMN logintel.ml_corrections.log_entry_id IS 'Key of the line.';
COMMENT ON COLUMN logintel.ml_corrections."timestamp" IS 'When the line was written at its source; of a line without a time, when it was scored.';
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
COMMENT ON COLUMN logintel.ml_corrections.probability_debug IS 'The probability that the model gives DEBUG.';
COMMENT ON COLUMN logintel.ml_corrections.probability_info IS 'The probability that the model gives INFO.';
COMMENT ON COLUMN logintel.ml_corrections.probability_warn IS 'The probability that the model gives WARN.';
COMMENT ON COLUMN logintel.ml_corrections.probability_error IS 'The probability that the model gives ERROR.';
COMMENT ON COLUMN logintel.ml_corrections.probability_fatal IS 'The probability that the model gives FATAL.';
COMMENT ON COLUMN logintel.ml_corrections.template_debug IS 'How many lines of the template declare DEBUG.';
COMMENT ON COLUMN logintel.ml_corrections.template_info IS 'How many lines of the template declare INFO.';
COMMENT ON COLUMN logintel.ml_corrections.template_warn IS 'How many lines of the template declare WARN.';
COMMENT ON COLUMN logintel.ml_corrections.template_error IS 'How many lines of the template declare ERROR.';
COMMENT ON COLUMN logintel.ml_corrections.template_fatal IS 'How many lines of the template declare FATAL.';
COMMENT ON COLUMN logintel.ml_corrections.log_table IS 'The line''s log table.';
