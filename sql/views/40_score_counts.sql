-- Every statistic that isn't about single lines starts here: lines counted by score, the scores joined afterwards.
CREATE VIEW logintel.score_counts AS
SELECT p.score_id, count(*) AS lines
FROM logintel.predictions p
GROUP BY p.score_id;

COMMENT ON VIEW logintel.score_counts IS 'How many lines have each score.';
COMMENT ON COLUMN logintel.score_counts.score_id IS 'The score.';
COMMENT ON COLUMN logintel.score_counts.lines IS 'Lines that have it.';
