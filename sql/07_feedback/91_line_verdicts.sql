-- Who reads them joins predictions, which are not read again here: the scores of the judged shape tell which are meant.
-- A reader sees no hash of a shape: from some of them the secret of all could be computed.
CREATE OR REPLACE VIEW logintel_internal._line_verdicts AS
SELECT f.log_entry_id, s.id AS score_id, f.true_level
FROM logintel_internal.feedback f
JOIN logintel_internal.scores s ON s.shape_hash = f.shape_hash
WHERE f.is_current AND f.scope = 'line'
  AND (NOT (SELECT logintel._hides_lines()) OR logintel._is_visible(f.attachment_id, f.log_entry_id, NULL, NULL));

COMMENT ON VIEW logintel_internal._line_verdicts IS 'What current verdicts say of single lines that their reader may read in the log table.';
COMMENT ON COLUMN logintel_internal._line_verdicts.log_entry_id IS 'Key of the line.';
COMMENT ON COLUMN logintel_internal._line_verdicts.score_id IS 'A score of the shape that was judged: the verdict on a line is not of another line under the same key.';
COMMENT ON COLUMN logintel_internal._line_verdicts.true_level IS 'Level that it has in truth; null where the verdict is about something else.';
