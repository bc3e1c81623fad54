-- What verdicts on templates say of each score. One on the lines that declare a certain level is nearer than one on all.
-- The conditions are those of the index.
CREATE OR REPLACE VIEW logintel.score_verdicts AS
SELECT s.id AS score_id, coalesce(d.true_level, t.true_level) AS true_level,
       coalesce(d.true_category, t.true_category) AS true_category, coalesce(d.is_anomaly, t.is_anomaly) AS is_anomaly,
       greatest(d.given_at, t.given_at) AS given_at
FROM logintel.shape_scores s
LEFT JOIN logintel.level_names n ON n.name = lower(btrim(s.level))
LEFT JOIN logintel.feedback t ON t.is_current AND t.scope = 'template' AND (t.shape).template = s.template
    AND md5((t.shape).template) = md5(s.template) AND coalesce(t.declared_level, '') = ''
LEFT JOIN logintel.feedback d ON d.is_current AND d.scope = 'template' AND (d.shape).template = s.template
    AND md5((d.shape).template) = md5(s.template) AND coalesce(d.declared_level, '') = n.level
WHERE t.id IS NOT NULL OR d.id IS NOT NULL;

COMMENT ON VIEW logintel.score_verdicts IS 'Verdicts on templates, for each score of such a template; verdicts on single lines are in line_verdicts and come before them.';
COMMENT ON COLUMN logintel.score_verdicts.score_id IS 'The score in shape_scores.';
COMMENT ON COLUMN logintel.score_verdicts.true_level IS 'Level that its lines have in truth.';
COMMENT ON COLUMN logintel.score_verdicts.true_category IS 'Category that they have in truth.';
COMMENT ON COLUMN logintel.score_verdicts.is_anomaly IS 'Whether they are anomalies in truth.';
COMMENT ON COLUMN logintel.score_verdicts.given_at IS 'When the newest verdict was given.';
