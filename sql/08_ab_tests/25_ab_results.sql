-- How many lines a view of aggregates leaves is guesswork to the planner, and a nested loop that was planned for a few
-- takes minutes with a hundred thousand. Hashing all scores takes a second at worst.
CREATE OR REPLACE FUNCTION logintel._ab_judgement(
    test_id integer,
    OUT champion_templates bigint, OUT champion_right bigint, OUT challenger_templates bigint, OUT challenger_right bigint,
    OUT champion_only bigint, OUT challenger_only bigint,
    OUT sample bigint, OUT difference double precision, OUT lower double precision, OUT upper double precision,
    OUT statistic double precision, OUT p_value double precision, OUT look integer, OUT verdict text
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off
AS $function$
    SELECT n.*, j.*
    FROM logintel.ab_tests t
    LEFT JOIN logintel.ab_evidence e ON e.test_id = t.id AND e.metric = t.metric
    CROSS JOIN LATERAL (
        SELECT coalesce(e.champion_templates, 0) AS champion_templates, coalesce(e.champion_right, 0) AS champion_right,
               coalesce(e.challenger_templates, 0) AS challenger_templates, coalesce(e.challenger_right, 0) AS challenger_right,
               coalesce(e.champion_only, 0) AS champion_only, coalesce(e.challenger_only, 0) AS challenger_only) AS n
    CROSS JOIN LATERAL logintel._judge(
        t.share = 0, t.minimum_sample, t.significance,
        coalesce((SELECT max(l.look) FROM logintel.ab_looks l WHERE l.test_id = t.id), 0),
        n.champion_templates, n.champion_right, n.challenger_templates, n.challenger_right, n.champion_only, n.challenger_only) AS j
    WHERE t.id = $1;
$function$;

COMMENT ON FUNCTION logintel._ab_judgement(integer) IS 'What _judge() makes of a running A/B test, with the numbers of templates behind it.';

-- Readers call it through ml_ab_results.
CREATE OR REPLACE FUNCTION logintel._ab_results(test_id integer) RETURNS SETOF logintel.ab_results
LANGUAGE sql STABLE SECURITY DEFINER ROWS 2 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off
AS $function$
    WITH answers AS MATERIALIZED (
        SELECT * FROM logintel.ab_answers a WHERE a.test_id = $1),
    compared AS (
        SELECT coalesce(sum(b.lines), 0)::bigint AS lines, coalesce(sum(b.lines) FILTER (WHERE b.alike), 0)::bigint AS alike
        FROM (SELECT min(a.lines) AS lines, min(a.answer) = max(a.answer) AS alike FROM answers a
              GROUP BY a.shape_hash HAVING count(*) = 2) AS b
        WHERE (SELECT t.share = 0 FROM logintel.ab_tests t WHERE t.id = $1)),
    evidence AS MATERIALIZED (
        SELECT * FROM logintel.ab_evidence e WHERE e.test_id = $1)
    SELECT $1, side.name, coalesce(own.lines, 0), compared.lines, compared.alike,
           coalesce(CASE WHEN side.is_challenger THEN f.challenger_templates ELSE f.champion_templates END, 0),
           coalesce(CASE WHEN side.is_challenger THEN f.challenger_right ELSE f.champion_right END, 0),
           coalesce(CASE WHEN side.is_challenger THEN d.challenger_templates ELSE d.champion_templates END, 0),
           coalesce(CASE WHEN side.is_challenger THEN d.challenger_right ELSE d.champion_right END, 0),
           own.confidence, own.latency_us, j.sample,
           CASE WHEN t.share = 0 THEN coalesce(CASE WHEN side.is_challenger THEN e.challenger_only ELSE e.champion_only END, 0) END,
           j.difference, j.lower, j.upper, j.p_value
    FROM logintel.ab_tests t
    CROSS JOIN (VALUES ('champion', false), ('challenger', true)) AS side (name, is_challenger)
    CROSS JOIN compared
    LEFT JOIN evidence f ON f.metric = 'feedback'
    LEFT JOIN evidence d ON d.metric = 'declared'
    LEFT JOIN evidence e ON e.metric = t.metric
    CROSS JOIN LATERAL logintel._judge(
        t.share = 0, t.minimum_sample, t.significance, 0, coalesce(e.champion_templates, 0), coalesce(e.champion_right, 0),
        coalesce(e.challenger_templates, 0), coalesce(e.challenger_right, 0), coalesce(e.champion_only, 0), coalesce(e.challenger_only, 0)) AS j
    LEFT JOIN (SELECT a.is_challenger, sum(a.lines)::bigint AS lines, sum(a.confidence * a.lines) / sum(a.lines) AS confidence,
                      avg(a.latency_us) AS latency_us
               FROM answers a GROUP BY a.is_challenger) AS own ON own.is_challenger = side.is_challenger
    WHERE t.id = $1;
$function$;

COMMENT ON FUNCTION logintel._ab_results(integer) IS 'The results of a running A/B test as they are now: one row for each side.';
