-- The verdict on a line is of the line that was judged: not of one that was changed since, nor of another that got its
-- key. Their shapes tell.
CREATE OR REPLACE VIEW logintel_internal._line_truth AS
SELECT p.log_entry_id, p.score_id, p."timestamp", n.level AS declared_level, v.true_level, v.true_category, v.is_anomaly, v.given_at
FROM logintel_internal.feedback f
JOIN logintel_internal.predictions p ON p.log_entry_id = f.log_entry_id
JOIN logintel_internal.scores s ON s.id = p.score_id AND s.shape_hash = f.shape_hash
LEFT JOIN logintel.level_names n ON n.name = logintel._level_name(s.level)
CROSS JOIN LATERAL logintel._truth(f, s.template, n.level) AS v
WHERE f.is_current AND f.scope = 'line';

COMMENT ON VIEW logintel_internal._line_truth IS 'What is true of each line that has a prediction and a verdict of its own. What that leaves open, verdicts on its template say.';
COMMENT ON COLUMN logintel_internal._line_truth.log_entry_id IS 'Key of the line.';
COMMENT ON COLUMN logintel_internal._line_truth.score_id IS 'The score in scores that its prediction points to.';
COMMENT ON COLUMN logintel_internal._line_truth."timestamp" IS 'Time of the line, or of its prediction where the line has none.';
COMMENT ON COLUMN logintel_internal._line_truth.declared_level IS 'Level that the line declares, normalised; null when unknown.';
COMMENT ON COLUMN logintel_internal._line_truth.true_level IS 'Level that it has in truth; null where no verdict says.';
COMMENT ON COLUMN logintel_internal._line_truth.true_category IS 'Category that it has in truth.';
COMMENT ON COLUMN logintel_internal._line_truth.is_anomaly IS 'Whether it is an anomaly in truth.';
COMMENT ON COLUMN logintel_internal._line_truth.given_at IS 'When the newest of these verdicts was given.';
