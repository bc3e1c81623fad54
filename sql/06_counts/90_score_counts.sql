-- Every statistic that isn't about single lines starts with one of these: lines counted by score, what is rolled up and
-- the rest, before the scores are joined.
CREATE OR REPLACE VIEW logintel_internal._score_counts AS
SELECT c.score_id, sum(c.lines)::bigint AS lines
FROM (SELECT t.score_id, t.lines FROM logintel_internal.score_totals t
      UNION ALL
      SELECT u.score_id, u.lines FROM logintel._uncounted() u) AS c
GROUP BY c.score_id
HAVING sum(c.lines) > 0;

COMMENT ON VIEW logintel_internal._score_counts IS 'How many lines have each score.';
COMMENT ON COLUMN logintel_internal._score_counts.score_id IS 'The score.';
COMMENT ON COLUMN logintel_internal._score_counts.lines IS 'Lines that have it.';

CREATE OR REPLACE VIEW logintel_internal._score_counts_by_hour AS
SELECT c.hour, c.score_id, sum(c.lines)::bigint AS lines
FROM (SELECT h.hour, h.score_id, h.lines FROM logintel_internal.hourly_counts h
      UNION ALL
      SELECT u.hour, u.score_id, u.lines FROM logintel._uncounted() u) AS c
GROUP BY c.hour, c.score_id
HAVING sum(c.lines) > 0;

COMMENT ON VIEW logintel_internal._score_counts_by_hour IS 'How many lines of each hour have each score.';
COMMENT ON COLUMN logintel_internal._score_counts_by_hour.hour IS 'Start of the hour.';
COMMENT ON COLUMN logintel_internal._score_counts_by_hour.score_id IS 'The score.';
COMMENT ON COLUMN logintel_internal._score_counts_by_hour.lines IS 'Lines of that hour that have it.';
