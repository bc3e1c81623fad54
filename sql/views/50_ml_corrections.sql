-- Newest first: the roll-up knows which hours have such lines, so a reader of the top reads those hours and no others. severity_gap tells the most dangerous:
-- a FATAL hidden as DEBUG is what nobody would have seen. The evidence is what the model
-- gives each level, and how the other lines of the same template declare theirs.
CREATE VIEW logintel.ml_corrections AS
WITH template_levels AS (
    SELECT t.template, sum(t.lines)::bigint AS lines, jsonb_object_agg(coalesce(t.declared_level, '?'), t.lines) AS declared
    FROM (SELECT s.template, s.declared_level, sum(c.lines)::bigint AS lines
          FROM logintel.score_counts c JOIN logintel.scored_shapes s USING (score_id)
          GROUP BY s.template, s.declared_level) AS t
    GROUP BY t.template)
SELECT p.log_entry_id, l."timestamp", s.service, l.host, s.declared_level, s.predicted_level, s.level_confidence,
       predicted.severity_number - declared.severity_number AS severity_gap,
       s.severity, l.message, s.template, t.lines AS template_lines, t.declared AS template_declared_levels,
       s.level_probabilities, s.model_version, p.predicted_at
FROM (SELECT c.hour, array_agg(c.score_id) AS score_ids
      FROM logintel.score_counts_by_hour c
      WHERE c.score_id = ANY (ARRAY(SELECT s.score_id FROM logintel.scored_shapes s WHERE s.is_correction))
      GROUP BY c.hour) AS h
CROSS JOIN LATERAL (SELECT p.* FROM logintel.predictions p
                    WHERE p."timestamp" >= h.hour AND p."timestamp" < h.hour + interval '1 hour'
                      AND p.score_id = ANY (h.score_ids) OFFSET 0) AS p
JOIN logintel.scored_shapes s ON s.score_id = p.score_id
JOIN logintel.log_lines l ON l.id = p.log_entry_id
JOIN logintel.levels predicted ON predicted.level = s.predicted_level
JOIN logintel.levels declared ON declared.level = s.declared_level
JOIN template_levels t ON t.template = s.template
ORDER BY h.hour DESC, p.predicted_at DESC;

COMMENT ON VIEW logintel.ml_corrections IS 'Lines whose declared level differs from the predicted one at or above the minimum confidence, with the evidence, newest first.';
COMMENT ON COLUMN logintel.ml_corrections.log_entry_id IS 'Key of the line.';
COMMENT ON COLUMN logintel.ml_corrections."timestamp" IS 'When the line was written at its source.';
COMMENT ON COLUMN logintel.ml_corrections.service IS 'Service of the line.';
COMMENT ON COLUMN logintel.ml_corrections.host IS 'Host of the line.';
COMMENT ON COLUMN logintel.ml_corrections.declared_level IS 'Level that the source declared, normalised.';
COMMENT ON COLUMN logintel.ml_corrections.predicted_level IS 'Level that the message speaks of.';
COMMENT ON COLUMN logintel.ml_corrections.level_confidence IS 'Probability of the predicted level.';
COMMENT ON COLUMN logintel.ml_corrections.severity_gap IS 'Predicted minus declared severity number: 16 for a FATAL hidden as DEBUG, negative where the source exaggerates.';
COMMENT ON COLUMN logintel.ml_corrections.severity IS 'critical, high, medium or low.';
COMMENT ON COLUMN logintel.ml_corrections.message IS 'The message.';
COMMENT ON COLUMN logintel.ml_corrections.template IS 'The masked message.';
COMMENT ON COLUMN logintel.ml_corrections.template_lines IS 'Evidence: how many lines have this template.';
COMMENT ON COLUMN logintel.ml_corrections.template_declared_levels IS 'Evidence: how many of them declare each level; ? stands for unknown levels.';
COMMENT ON COLUMN logintel.ml_corrections.level_probabilities IS 'Evidence: the probability that the model gives each level.';
COMMENT ON COLUMN logintel.ml_corrections.model_version IS 'The models that made the prediction.';
COMMENT ON COLUMN logintel.ml_corrections.predicted_at IS 'When it was made.';
