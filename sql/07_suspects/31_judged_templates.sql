-- Which templates have a wrong level in every line. Problem or not comes first; which level exactly, second, by the
-- words and by the levels that are in use. A score is in log-odds:
--   the words and the neighbours (half of each where there are very many templates, the words alone where few);
--   what the service's other templates are: a service may accuse, never excuse, and says nothing where it stamps;
--   what the same template is in other services, or in another log table. Stamped services do not testify.
-- Where the words alone make a hidden problem, the neighbours cannot excuse it: they may share the habit, and what was
-- found before a training is not to vanish by it.
-- A false alarm needs more than a hidden problem: a status that the mask hides may be the reason for the level.
-- tests/eval measures the constants; they were not fitted on anything that it measures.
CREATE OR REPLACE FUNCTION logintel._judged_templates() RETURNS TABLE (
    attachment_id integer, template text, service text, lines bigint, declared_levels jsonb, declared_level text,
    true_level text, problem boolean, words real, neighbours real, by_level real[], stamped double precision,
    service_says double precision, twins_say double precision, score double precision,
    score_of_suspicion double precision, suspicion text
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    WITH opinions AS MATERIALIZED (
        SELECT o.*, o.true_level IS NULL AND NOT o.problem AND o.words > 1 AS is_doubted,
               coalesce(o.neighbours, o.words) AS neighbours_or_words, count(*) OVER () AS templates,
               avg(o.problem::integer) OVER ()::double precision AS share
        FROM logintel._opinions_on_templates() o),
    sources AS MATERIALIZED (
        SELECT s.* FROM (
            SELECT array_agg(o.attachment_id) AS attachment_ids, array_agg(o.service) AS services,
                   array_agg(o.problem) AS problem, array_agg(o.words) AS words,
                   array_agg(o.lines) AS lines, array_agg(o.true_level IS NOT NULL) AS decided FROM opinions o) AS a
        CROSS JOIN LATERAL logintel._sources(
            a.attachment_ids, a.services, a.problem, a.words, a.lines, a.decided) AS s),
    counted AS (
        SELECT o.*, s.evidence AS stamped, s.evidence >= 3 AS is_stamped,
               count(*) FILTER (WHERE NOT o.is_doubted) OVER service - (NOT o.is_doubted)::integer AS of_service,
               count(*) FILTER (WHERE o.problem) OVER service - o.problem::integer AS of_service_problems,
               count(*) FILTER (WHERE s.evidence < 3) OVER twins - (s.evidence < 3)::integer AS twins,
               count(*) FILTER (WHERE s.evidence < 3 AND o.problem) OVER twins
                   - (s.evidence < 3 AND o.problem)::integer AS twins_problems
        FROM opinions o JOIN sources s ON s.attachment_id = o.attachment_id AND s.service = o.service
        WINDOW service AS (PARTITION BY o.attachment_id, o.service), twins AS (PARTITION BY o.template)),
    said AS (
        SELECT c.*, (c.templates / (c.templates + 25.0)) / 2 AS weight,
               CASE WHEN c.is_stamped OR c.share <= 0 OR c.share >= 1 THEN 0
                    ELSE ln((c.of_service_problems + 2 * c.share)
                            / (c.of_service - c.of_service_problems + 2 * (1 - c.share)))
                         - ln(c.share / (1 - c.share)) END AS lift,
               CASE WHEN c.twins = 0 THEN 0 ELSE ln((c.twins_problems + 0.25) / (c.twins - c.twins_problems + 0.25))
                   END AS twin_odds
        FROM counted c),
    scored AS (
        SELECT s.*, o.service_says, o.twins_say,
               (1 - s.weight) * s.words + s.weight * s.neighbours_or_words + 0.35 * o.service_says + o.twins_say
                   AS score,
               s.words + 0.35 * o.service_says + o.twins_say AS score_by_words
        FROM said s
        CROSS JOIN LATERAL (
            SELECT CASE WHEN s.problem THEN least(greatest(s.lift, -3), 0)
                        ELSE least(greatest(s.lift, 0), 3) END AS service_says,
                   CASE WHEN s.is_stamped THEN least(greatest(s.twin_odds, -4), 4)
                        WHEN s.problem THEN least(greatest(s.twin_odds, -4), 0)
                        ELSE least(greatest(s.twin_odds, 0), 4) END AS twins_say) AS o)
    SELECT s.attachment_id, s.template, s.service, s.lines, s.declared_levels, s.declared_level, s.true_level,
           s.problem, s.words, s.neighbours, s.by_level, s.stamped, s.service_says, s.twins_say, s.score,
           CASE WHEN s.problem THEN s.score ELSE greatest(s.score, s.score_by_words) END,
           CASE WHEN s.true_level IS NOT NULL THEN NULL
                WHEN NOT s.problem AND greatest(s.score, s.score_by_words) >= 0.75 THEN 'hidden problem'
                WHEN s.problem AND s.score <= CASE WHEN s.is_stamped THEN -1 ELSE -2.5 END THEN 'false alarm' END
    FROM scored s;
$function$;

COMMENT ON FUNCTION logintel._judged_templates() IS 'All templates by service, with the opinions on them and what comes of these: hidden problem, false alarm, or null.';
