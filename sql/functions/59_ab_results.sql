CREATE FUNCTION logintel._ab_judgement(
    test_id integer,
    OUT champion_templates bigint, OUT champion_right bigint, OUT challenger_templates bigint, OUT challenger_right bigint,
    OUT champion_only bigint, OUT challenger_only bigint,
    OUT sample bigint, OUT difference double precision, OUT lower double precision, OUT upper double precision,
    OUT statistic double precision, OUT p_value double precision, OUT look integer, OUT verdict text
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    SELECT n.*, j.*
    FROM logintel.ab_tests t
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE p.champion_right IS NOT NULL) AS champion_templates,
               count(*) FILTER (WHERE p.champion_right) AS champion_right,
               count(*) FILTER (WHERE p.challenger_right IS NOT NULL) AS challenger_templates,
               count(*) FILTER (WHERE p.challenger_right) AS challenger_right,
               count(*) FILTER (WHERE p.champion_right AND NOT p.challenger_right) AS champion_only,
               count(*) FILTER (WHERE p.challenger_right AND NOT p.champion_right) AS challenger_only
        FROM logintel.ab_templates p
        WHERE p.test_id = t.id AND p.metric = t.metric
          AND (t.share > 0 OR num_nonnulls(p.champion_right, p.challenger_right) = 2)) AS n
    CROSS JOIN LATERAL logintel._judge(
        t.share = 0, t.minimum_sample, t.significance,
        coalesce((SELECT max(l.look) FROM logintel.ab_looks l WHERE l.test_id = t.id), 0),
        n.champion_templates, n.champion_right, n.challenger_templates, n.challenger_right, n.champion_only, n.challenger_only) AS j
    WHERE t.id = $1;
$function$;

COMMENT ON FUNCTION logintel._ab_judgement(integer) IS 'What _judge() makes of a running A/B test, with the numbers of templates behind it.';

-- Readers call it through ml_ab_results.
CREATE FUNCTION logintel._ab_results(test_id integer) RETURNS SETOF logintel.ab_results
LANGUAGE sql STABLE SECURITY DEFINER ROWS 2 SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    WITH answers AS MATERIALIZED (
        SELECT * FROM logintel.ab_answers a WHERE a.test_id = $1),
    compared AS (
        SELECT coalesce(sum(b.lines), 0)::bigint AS lines, coalesce(sum(b.lines) FILTER (WHERE b.alike), 0)::bigint AS alike
        FROM (SELECT min(a.lines) AS lines, min(a.answer) = max(a.answer) AS alike FROM answers a
              GROUP BY a.shape_hash HAVING count(*) = 2) AS b
        WHERE (SELECT t.share = 0 FROM logintel.ab_tests t WHERE t.id = $1)),
    templates AS (
        SELECT p.metric, count(p.champion_right) AS champion_templates, count(*) FILTER (WHERE p.champion_right) AS champion_right,
               count(p.challenger_right) AS challenger_templates, count(*) FILTER (WHERE p.challenger_right) AS challenger_right
        FROM logintel.ab_templates p WHERE p.test_id = $1 GROUP BY p.metric)
    SELECT $1, side.name, coalesce(own.lines, 0), compared.lines, compared.alike,
           coalesce(CASE WHEN side.is_challenger THEN f.challenger_templates ELSE f.champion_templates END, 0),
           coalesce(CASE WHEN side.is_challenger THEN f.challenger_right ELSE f.champion_right END, 0),
           coalesce(CASE WHEN side.is_challenger THEN d.challenger_templates ELSE d.champion_templates END, 0),
           coalesce(CASE WHEN side.is_challenger THEN d.challenger_right ELSE d.champion_right END, 0),
           own.confidence, own.latency_us, j.sample,
           CASE WHEN t.share = 0 THEN CASE WHEN side.is_challenger THEN j.challenger_only ELSE j.champion_only END END,
           j.difference, j.lower, j.upper, j.p_value
    FROM logintel.ab_tests t
    CROSS JOIN (VALUES ('champion', false), ('challenger', true)) AS side (name, is_challenger)
    CROSS JOIN compared
    CROSS JOIN LATERAL logintel._ab_judgement(t.id) AS j
    LEFT JOIN templates f ON f.metric = 'feedback'
    LEFT JOIN templates d ON d.metric = 'declared'
    LEFT JOIN (SELECT a.is_challenger, sum(a.lines)::bigint AS lines, sum(a.confidence * a.lines) / sum(a.lines) AS confidence,
                      avg(a.latency_us) AS latency_us
               FROM answers a GROUP BY a.is_challenger) AS own ON own.is_challenger = side.is_challenger
    WHERE t.id = $1;
$function$;

COMMENT ON FUNCTION logintel._ab_results(integer) IS 'The results of a running A/B test as they are now: one row for each side.';
