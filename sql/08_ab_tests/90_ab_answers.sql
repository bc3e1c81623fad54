-- What both sides of the running tests say, by shape: a side says the same of all lines of one. In a shadow test the
-- challenger's lines are the champion's, as far as it has scored their shapes. Scores are read as they were given, whatever
-- rescore() has put in their place. Until the first roll-up after a restore nothing is known of what is not counted.
CREATE OR REPLACE VIEW logintel.ab_answers AS
WITH counted AS (
    SELECT c.test_id, c.score_id, sum(c.lines)::bigint AS lines
    FROM (SELECT n.test_id, n.score_id, n.lines FROM logintel.ab_test_counts n
          UNION ALL
          SELECT t.id, u.score_id, u.lines FROM logintel.ab_tests t CROSS JOIN logintel._uncounted() u
          WHERE t.ended_at IS NULL AND u.lines > 0 AND (SELECT r.counted IS NOT NULL FROM logintel.rollup_state r)) AS c
    GROUP BY c.test_id, c.score_id),
served AS (
    SELECT t.id AS test_id, t.challenger_id = ANY (m.model_ids) AS is_challenger, s.shape_hash,
           min(s.id) AS score_id, sum(c.lines)::bigint AS lines
    FROM counted c
    JOIN logintel.ab_tests t ON t.id = c.test_id
    JOIN logintel.shape_scores s ON s.id = c.score_id
    JOIN logintel.model_sets m ON m.id = s.model_set_id
    WHERE t.champion_id = ANY (m.model_ids) OR (t.share > 0 AND t.challenger_id = ANY (m.model_ids))
    GROUP BY 1, 2, 3),
shadowed AS (
    SELECT c.test_id, true AS is_challenger, c.shape_hash, min(k.id) AS score_id, c.lines
    FROM served c
    JOIN logintel.ab_tests t ON t.id = c.test_id AND t.share = 0
    JOIN logintel.model_sets m ON t.challenger_id = ANY (m.model_ids)
    JOIN logintel.shape_scores k ON k.model_set_id = m.id AND k.shape_hash = c.shape_hash
    GROUP BY c.test_id, c.shape_hash, c.lines)
SELECT a.test_id, a.is_challenger, a.shape_hash, a.score_id, a.lines, left(s.template, 200) AS template,
       CASE t.name WHEN 'level' THEN s.predicted_level WHEN 'category' THEN s.category
                   ELSE (s.anomaly_score >= threshold.value)::text END AS answer,
       CASE t.name WHEN 'level' THEN s.level_confidence WHEN 'category' THEN s.category_confidence
                   ELSE CASE WHEN s.anomaly_score >= threshold.value THEN s.anomaly_score ELSE 1 - s.anomaly_score END END AS confidence,
       s.latency_us, n.level AS declared_level
FROM (SELECT * FROM served UNION ALL SELECT * FROM shadowed) AS a
JOIN logintel.ab_tests t ON t.id = a.test_id
JOIN logintel.shape_scores s ON s.id = a.score_id
CROSS JOIN (SELECT g.value::real FROM logintel.settings g WHERE g.name = 'anomaly_threshold') AS threshold
LEFT JOIN logintel.level_names n ON n.name = lower(btrim(s.level));

COMMENT ON VIEW logintel.ab_answers IS 'What champion and challenger of each running A/B test say of the lines counted in it, by shape.';
COMMENT ON COLUMN logintel.ab_answers.test_id IS 'The running test.';
COMMENT ON COLUMN logintel.ab_answers.is_challenger IS 'Which side answers.';
COMMENT ON COLUMN logintel.ab_answers.shape_hash IS 'shape_hash() of the shape.';
COMMENT ON COLUMN logintel.ab_answers.score_id IS 'The score that holds the answer.';
COMMENT ON COLUMN logintel.ab_answers.lines IS 'Lines of the shape that the side scored.';
COMMENT ON COLUMN logintel.ab_answers.template IS 'First 200 characters of the masked message.';
COMMENT ON COLUMN logintel.ab_answers.answer IS 'What the side says: a level, a category, or whether it is an anomaly.';
COMMENT ON COLUMN logintel.ab_answers.confidence IS 'How sure it is, 0 to 1.';
COMMENT ON COLUMN logintel.ab_answers.latency_us IS 'What computing the score took, in microseconds.';
COMMENT ON COLUMN logintel.ab_answers.declared_level IS 'Level that the lines declare, normalised.';

-- On how many templates each side is right: with most of the outcomes, those of lines with a verdict of their own and of
-- the rest. Templates are taken at the 200 characters that evicted shapes keep. In a shadow test only those count of which
-- both sides say something.
CREATE OR REPLACE VIEW logintel.ab_evidence AS
WITH answers AS MATERIALIZED (
    SELECT * FROM logintel.ab_answers),
metrics AS (
    SELECT t.*, m.metric AS by_metric, CASE WHEN m.metric = 'feedback' THEN t.started_at ELSE '-infinity' END AS since
    FROM logintel.ab_tests t
    JOIN (VALUES ('feedback'), ('declared')) AS m (metric) ON m.metric = 'feedback' OR t.name = 'level'
    WHERE t.ended_at IS NULL),
template_verdicts AS MATERIALIZED (
    SELECT * FROM logintel.score_verdicts),
line_verdicts AS (
    SELECT a.test_id, t.by_metric, a.is_challenger, a.shape_hash, count(*) AS outcomes,
           count(*) FILTER (WHERE v.truth = a.answer) AS "right"
    FROM answers a
    JOIN metrics t ON t.id = a.test_id
    JOIN logintel.feedback f ON f.is_current AND f.scope = 'line' AND f.shape_hash = a.shape_hash AND f.given_at >= t.since
    CROSS JOIN LATERAL (SELECT CASE t.name WHEN 'level' THEN f.true_level WHEN 'category' THEN f.true_category
                                           ELSE f.is_anomaly::text END AS truth) AS v
    WHERE v.truth IS NOT NULL AND (t.share = 0 OR logintel._in_share(f.log_entry_id, t.id, t.share) = a.is_challenger)
    GROUP BY 1, 2, 3, 4),
judged AS (
    SELECT a.test_id, t.by_metric, a.is_challenger, a.template,
           coalesce(l.outcomes, 0) + CASE WHEN v.truth IS NULL THEN 0 ELSE rest.lines END AS outcomes,
           coalesce(l."right", 0) + CASE WHEN v.truth = a.answer THEN rest.lines ELSE 0 END AS "right"
    FROM answers a
    JOIN metrics t ON t.id = a.test_id
    LEFT JOIN line_verdicts l ON l.test_id = a.test_id AND l.by_metric = t.by_metric
        AND l.is_challenger = a.is_challenger AND l.shape_hash = a.shape_hash
    LEFT JOIN template_verdicts s ON s.score_id = a.score_id AND s.given_at >= t.since
    CROSS JOIN LATERAL (SELECT greatest(a.lines - coalesce(l.outcomes, 0), 0) AS lines) AS rest
    CROSS JOIN LATERAL (
        SELECT coalesce(CASE t.name WHEN 'level' THEN s.true_level WHEN 'category' THEN s.true_category ELSE s.is_anomaly::text END,
                        CASE WHEN t.by_metric = 'declared' THEN a.declared_level END) AS truth) AS v),
templates AS (
    SELECT j.test_id, j.by_metric,
           sum(j."right") FILTER (WHERE NOT j.is_challenger) * 2 > sum(j.outcomes) FILTER (WHERE NOT j.is_challenger) AS champion_right,
           sum(j."right") FILTER (WHERE j.is_challenger) * 2 > sum(j.outcomes) FILTER (WHERE j.is_challenger) AS challenger_right
    FROM judged j
    WHERE j.outcomes > 0
    GROUP BY j.test_id, j.by_metric, j.template)
SELECT p.test_id, p.by_metric AS metric,
       count(p.champion_right) AS champion_templates, count(*) FILTER (WHERE p.champion_right) AS champion_right,
       count(p.challenger_right) AS challenger_templates, count(*) FILTER (WHERE p.challenger_right) AS challenger_right,
       count(*) FILTER (WHERE p.champion_right AND NOT p.challenger_right) AS champion_only,
       count(*) FILTER (WHERE p.challenger_right AND NOT p.champion_right) AS challenger_only
FROM templates p
JOIN logintel.ab_tests t ON t.id = p.test_id
WHERE t.share > 0 OR num_nulls(p.champion_right, p.challenger_right) = 0
GROUP BY p.test_id, p.by_metric;

COMMENT ON VIEW logintel.ab_evidence IS 'On how many templates champion and challenger of each running A/B test are right, by metric.';
COMMENT ON COLUMN logintel.ab_evidence.test_id IS 'The running test.';
COMMENT ON COLUMN logintel.ab_evidence.metric IS 'feedback or declared.';
COMMENT ON COLUMN logintel.ab_evidence.champion_templates IS 'Templates with an outcome among the champion''s lines.';
COMMENT ON COLUMN logintel.ab_evidence.champion_right IS 'Those that it is right about.';
COMMENT ON COLUMN logintel.ab_evidence.challenger_templates IS 'Templates with an outcome among the challenger''s lines.';
COMMENT ON COLUMN logintel.ab_evidence.challenger_right IS 'Those that it is right about.';
COMMENT ON COLUMN logintel.ab_evidence.champion_only IS 'Templates of both that the champion alone is right about.';
COMMENT ON COLUMN logintel.ab_evidence.challenger_only IS 'Templates of both that the challenger alone is right about.';
