-- What is true of the lines of a score that have no verdict of their own.
CREATE OR REPLACE VIEW logintel_internal._score_truth AS
SELECT s.id AS score_id, n.level AS declared_level, v.true_level, v.true_category, v.is_anomaly, v.given_at
FROM logintel_internal.scores s
LEFT JOIN logintel.level_names n ON n.name = logintel._level_name(s.level)
CROSS JOIN LATERAL logintel._truth(NULL, s.template, n.level) AS v;

COMMENT ON VIEW logintel_internal._score_truth IS 'What verdicts on templates say of each score; those on single lines are in _line_truth and come before them.';
COMMENT ON COLUMN logintel_internal._score_truth.score_id IS 'The score in scores.';
COMMENT ON COLUMN logintel_internal._score_truth.declared_level IS 'Level that its lines declare, normalised; null when unknown.';
COMMENT ON COLUMN logintel_internal._score_truth.true_level IS 'Level that its lines have in truth; null where no verdict says.';
COMMENT ON COLUMN logintel_internal._score_truth.true_category IS 'Category that they have in truth.';
COMMENT ON COLUMN logintel_internal._score_truth.is_anomaly IS 'Whether they are anomalies in truth.';
COMMENT ON COLUMN logintel_internal._score_truth.given_at IS 'When the newest verdict was given; null where there is none.';
