-- On how many templates each side is right: with most of the outcomes, those of lines with a verdict of their own and
-- of the rest. Templates are taken at the 200 characters that evicted shapes keep. In a shadow test only those count
-- of which both sides say something.
--
-- A declared level that is suspected is no truth, and where others are it is as problem or not: which level exactly is a
-- habit of the source.
CREATE OR REPLACE FUNCTION logintel._ab_evidence(test logintel_internal.ab_tests)
RETURNS TABLE (
    metric text, champion_templates bigint, champion_right bigint, challenger_templates bigint, challenger_right bigint,
    champion_only bigint, challenger_only bigint, sample bigint, difference double precision, lower double precision,
    upper double precision, statistic double precision, p_value double precision, look integer, decision text
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off
AS $function$
    WITH answers AS MATERIALIZED (
        SELECT * FROM logintel._ab_answers($1)),
    metrics AS (
        SELECT m.metric, m.since FROM (VALUES ('feedback', ($1).started_at), ('declared', '-infinity')) AS m (metric, since)
        WHERE m.metric = 'feedback' OR ($1).name = 'level'),
    doubted AS MATERIALIZED (
        SELECT DISTINCT left(s.template, 200) AS template FROM logintel._suspects() s WHERE ($1).name = 'level'),
    own AS (
        SELECT m.metric, a.is_challenger, a.shape_hash, count(*) AS outcomes, count(*) FILTER (WHERE v.truth = a.answer) AS "right"
        FROM answers a
        CROSS JOIN metrics m
        JOIN logintel_internal.feedback f ON f.is_current AND f.scope = 'line' AND f.shape_hash = a.shape_hash AND f.given_at >= m.since
        CROSS JOIN LATERAL (SELECT logintel._true_answer(($1).name, f.true_level, f.true_category, f.is_anomaly) AS truth) AS v
        WHERE v.truth IS NOT NULL
          AND (($1).share = 0 OR logintel._in_share(f.log_entry_id, ($1).id, ($1).share) = a.is_challenger)
        GROUP BY 1, 2, 3),
    judged AS (
        SELECT m.metric, a.is_challenger, a.template,
               coalesce(o.outcomes, 0) + CASE WHEN v.truth IS NULL THEN 0 ELSE rest.lines END AS outcomes,
               coalesce(o."right", 0) + CASE WHEN v.is_right THEN rest.lines ELSE 0 END AS "right"
        FROM answers a
        CROSS JOIN metrics m
        LEFT JOIN own o ON o.metric = m.metric AND o.is_challenger = a.is_challenger AND o.shape_hash = a.shape_hash
        CROSS JOIN LATERAL (SELECT greatest(a.lines - coalesce(o.outcomes, 0), 0) AS lines) AS rest
        CROSS JOIN LATERAL (SELECT CASE WHEN a.given_at >= m.since THEN a.true_answer END AS verdict,
                                   CASE WHEN m.metric = 'declared' AND a.template NOT IN (SELECT d.template FROM doubted d)
                                        THEN a.declared_level END AS declared) AS t
        CROSS JOIN LATERAL (
            SELECT coalesce(t.verdict, t.declared) AS truth,
                   CASE WHEN t.verdict IS NOT NULL THEN t.verdict = a.answer
                        ELSE (t.declared IN ('WARN', 'ERROR', 'FATAL')) = (a.answer IN ('WARN', 'ERROR', 'FATAL')) END
                       AS is_right) AS v),
    by_template AS (
        SELECT j.metric,
               sum(j."right") FILTER (WHERE NOT j.is_challenger) * 2 > sum(j.outcomes) FILTER (WHERE NOT j.is_challenger) AS champion,
               sum(j."right") FILTER (WHERE j.is_challenger) * 2 > sum(j.outcomes) FILTER (WHERE j.is_challenger) AS challenger
        FROM judged j
        WHERE j.outcomes > 0
        GROUP BY j.metric, j.template),
    counted AS (
        SELECT m.metric, count(t.champion) AS champion_templates, count(*) FILTER (WHERE t.champion) AS champion_right,
               count(t.challenger) AS challenger_templates, count(*) FILTER (WHERE t.challenger) AS challenger_right,
               count(*) FILTER (WHERE t.champion AND NOT t.challenger) AS champion_only,
               count(*) FILTER (WHERE t.challenger AND NOT t.champion) AS challenger_only
        FROM metrics m
        LEFT JOIN by_template t ON t.metric = m.metric AND (($1).share > 0 OR num_nulls(t.champion, t.challenger) = 0)
        GROUP BY m.metric)
    SELECT c.*, d.*
    FROM counted c
    CROSS JOIN LATERAL logintel._ab_decision(
        ($1).share = 0, ($1).minimum_sample, ($1).significance, logintel._ab_looks_done(($1).id), c.champion_templates,
        c.champion_right, c.challenger_templates, c.challenger_right, c.champion_only, c.challenger_only) AS d;
$function$;

COMMENT ON FUNCTION logintel._ab_evidence(logintel_internal.ab_tests) IS 'On how many templates each side of a running A/B test is right, by metric, and what the rule makes of that; the metric of the test decides.';

-- The results of a running test. Readers call it through ml_ab_results.
CREATE OR REPLACE FUNCTION logintel._ab_results(test_id integer) RETURNS SETOF logintel_internal.ab_results
LANGUAGE sql STABLE SECURITY DEFINER ROWS 2 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off
AS $function$
    WITH answers AS MATERIALIZED (
        SELECT a.* FROM logintel_internal.ab_tests t CROSS JOIN LATERAL logintel._ab_answers(t) AS a WHERE t.id = $1),
    evidence AS MATERIALIZED (
        SELECT e.* FROM logintel_internal.ab_tests t CROSS JOIN LATERAL logintel._ab_evidence(t) AS e WHERE t.id = $1),
    compared AS (
        SELECT coalesce(sum(b.lines), 0)::bigint AS lines, coalesce(sum(b.lines) FILTER (WHERE b.alike), 0)::bigint AS alike
        FROM (SELECT min(a.lines) AS lines, min(a.answer) = max(a.answer) AS alike FROM answers a
              GROUP BY a.shape_hash HAVING count(*) = 2) AS b
        WHERE (SELECT t.share = 0 FROM logintel_internal.ab_tests t WHERE t.id = $1))
    SELECT $1, side.name, coalesce(own.lines, 0), compared.lines, compared.alike,
           CASE WHEN side.is_challenger THEN f.challenger_templates ELSE f.champion_templates END,
           CASE WHEN side.is_challenger THEN f.challenger_right ELSE f.champion_right END,
           coalesce(CASE WHEN side.is_challenger THEN d.challenger_templates ELSE d.champion_templates END, 0),
           coalesce(CASE WHEN side.is_challenger THEN d.challenger_right ELSE d.champion_right END, 0),
           own.confidence, own.latency_us, e.sample,
           CASE WHEN t.share = 0 THEN CASE WHEN side.is_challenger THEN e.challenger_only ELSE e.champion_only END END,
           e.difference, e.lower, e.upper, e.p_value
    FROM logintel_internal.ab_tests t
    CROSS JOIN (VALUES ('champion', false), ('challenger', true)) AS side (name, is_challenger)
    CROSS JOIN compared
    JOIN evidence f ON f.metric = 'feedback'
    LEFT JOIN evidence d ON d.metric = 'declared'
    JOIN evidence e ON e.metric = t.metric
    LEFT JOIN (SELECT a.is_challenger, sum(a.lines)::bigint AS lines, sum(a.confidence * a.lines) / sum(a.lines) AS confidence,
                      avg(a.latency_us) AS latency_us
               FROM answers a GROUP BY a.is_challenger) AS own ON own.is_challenger = side.is_challenger
    WHERE t.id = $1;
$function$;

COMMENT ON FUNCTION logintel._ab_results(integer) IS 'The results of a running A/B test as they are now: one row for each side.';
