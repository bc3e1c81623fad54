-- The verdict on a line is of the line that was judged: not of one that was changed since, nor of another that got its key.
-- Their shapes tell.
CREATE OR REPLACE VIEW logintel.line_verdicts AS
SELECT p.log_entry_id, p.score_id, f.true_level, f.true_category, f.is_anomaly, f.given_at, p."timestamp"
FROM logintel.feedback f
JOIN logintel.predictions p ON p.log_entry_id = f.log_entry_id
JOIN logintel.shape_scores s ON s.id = p.score_id AND s.shape_hash = f.shape_hash
WHERE f.is_current AND f.scope = 'line';

COMMENT ON VIEW logintel.line_verdicts IS 'Current verdicts on single lines that have a prediction. What they leave open, score_verdicts may say.';
COMMENT ON COLUMN logintel.line_verdicts.log_entry_id IS 'Key of the line.';
COMMENT ON COLUMN logintel.line_verdicts.score_id IS 'The score in shape_scores that its prediction points to.';
COMMENT ON COLUMN logintel.line_verdicts.true_level IS 'Level that the line has in truth.';
COMMENT ON COLUMN logintel.line_verdicts.true_category IS 'Category that it has in truth.';
COMMENT ON COLUMN logintel.line_verdicts.is_anomaly IS 'Whether it is an anomaly in truth.';
COMMENT ON COLUMN logintel.line_verdicts.given_at IS 'When the verdict was given.';
COMMENT ON COLUMN logintel.line_verdicts."timestamp" IS 'Time of the line, or of its prediction where the line has none.';
