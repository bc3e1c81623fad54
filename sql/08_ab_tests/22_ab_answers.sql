-- What both sides of a running test say of the lines counted in it, by shape: a side says the same of all lines of
-- one. In a shadow test the challenger's lines are the champion's, as far as it has scored their shapes. Scores are
-- read as they were given, whatever rescore() has put in their place. Until the first roll-up after a restore nothing
-- is known of what is not counted.
--
-- How many lines a view of aggregates leaves is guesswork to the planner, and a nested loop that was planned for a few
-- takes minutes with a hundred thousand. Hashing all scores takes a second at worst.
CREATE OR REPLACE FUNCTION logintel._ab_answers(test logintel_internal.ab_tests) RETURNS TABLE (
    is_challenger boolean, shape_hash bigint, lines bigint, template text, answer text, confidence double precision,
    latency_us real, declared_level text, true_answer text, given_at timestamptz
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off
AS $function$
    WITH counted AS (
        SELECT c.score_id, sum(c.lines)::bigint AS lines
        FROM (SELECT n.score_id, n.lines FROM logintel_internal.ab_test_counts n WHERE n.test_id = ($1).id
              UNION ALL
              SELECT d.score_id, d.lines FROM logintel_internal.count_changes d
              WHERE d.id > (SELECT r.read_to FROM logintel_internal.count_readers r WHERE r.reader = 'ab_tests')
                AND d.lines > 0 AND NOT d.is_recount
              UNION ALL
              SELECT u.score_id, u.lines FROM logintel._uncounted() u
              WHERE u.lines > 0 AND (SELECT s.counted IS NOT NULL FROM logintel_internal.rollup_state s)) AS c
        GROUP BY c.score_id),
    served AS (
        SELECT ($1).challenger_id = ANY (m.model_ids) AS is_challenger, s.shape_hash, min(s.id) AS score_id, sum(c.lines)::bigint AS lines
        FROM counted c
        JOIN logintel_internal.scores s ON s.id = c.score_id
        JOIN logintel_internal.model_sets m ON m.id = s.model_set_id
        WHERE ($1).champion_id = ANY (m.model_ids) OR (($1).share > 0 AND ($1).challenger_id = ANY (m.model_ids))
        GROUP BY 1, 2),
    shadowed AS (
        SELECT true, c.shape_hash, min(k.id), c.lines
        FROM served c
        JOIN logintel_internal.scores k ON k.shape_hash = c.shape_hash
        JOIN logintel_internal.model_sets m ON m.id = k.model_set_id AND ($1).challenger_id = ANY (m.model_ids)
        WHERE ($1).share = 0
        GROUP BY c.shape_hash, c.lines)
    SELECT a.is_challenger, a.shape_hash, a.lines, left(s.template, 200), n.answer, n.confidence, s.latency_us, v.declared_level,
           logintel._true_answer(n.name, v.true_level, v.true_category, v.is_anomaly), v.given_at
    FROM (SELECT * FROM served UNION ALL SELECT * FROM shadowed) AS a
    JOIN logintel_internal.scores s ON s.id = a.score_id
    JOIN logintel_internal._score_truth v ON v.score_id = a.score_id
    CROSS JOIN LATERAL logintel._answers(s, logintel._setting('anomaly_threshold')::real) AS n
    WHERE n.name = ($1).name;
$function$;

COMMENT ON FUNCTION logintel._ab_answers(logintel_internal.ab_tests) IS 'What champion and challenger of a running A/B test say of the lines counted in it, by shape, and what is declared and true of those.';
