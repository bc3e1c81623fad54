-- A reader sees no hash of a shape: from some of them the secret of all could be computed.
CREATE OR REPLACE VIEW logintel_internal._line_verdicts AS
SELECT f.log_entry_id, s.id AS score_id, f.true_level
FROM logintel_internal.feedback f
JOIN logintel_internal.predictions p ON p.log_entry_id = f.log_entry_id
JOIN logintel_internal.scores s ON s.id = p.score_id AND s.shape_hash = f.shape_hash
WHERE f.is_current AND f.scope = 'line'
  AND (NOT (SELECT logintel._hides_lines()) OR logintel._is_visible(f.attachment_id, f.log_entry_id, NULL, NULL));

COMMENT ON VIEW logintel_internal._line_verdicts IS 'What current verdicts say of single lines that their reader may read in the log table.';
COMMENT ON COLUMN logintel_internal._line_verdicts.log_entry_id IS 'Key of the line.';
COMMENT ON COLUMN logintel_internal._line_verdicts.score_id IS 'Its score: the verdict on a line is not of another line under the same key.';
COMMENT ON COLUMN logintel_internal._line_verdicts.true_level IS 'Level that it has in truth; null where the verdict is about something else.';
