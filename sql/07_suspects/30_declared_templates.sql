-- The templates of each service of each log table, as their sources declare them: a template is of the level that most
-- of its lines have. A verdict on a template is the truth of it, and is what its neighbours and its service go by.
CREATE OR REPLACE FUNCTION logintel._declared_templates() RETURNS TABLE (
    attachment_id integer, template text, service text, lines bigint, declared_levels jsonb, declared_level text,
    true_level text
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    WITH counted AS (
        SELECT logintel._attachment_of(s.id) AS attachment_id, s.template, s.service, n.level,
               sum(c.lines)::bigint AS lines
        FROM logintel_internal._score_counts c JOIN logintel_internal.scores s ON s.id = c.score_id
        LEFT JOIN logintel.level_names n ON n.name = logintel._level_name(s.level)
        GROUP BY 1, s.template, s.service, n.level),
    templates AS (
        SELECT c.attachment_id, c.template, c.service, sum(c.lines)::bigint AS lines,
               jsonb_object_agg(coalesce(c.level, '?'), c.lines) AS declared_levels,
               (array_agg(c.level ORDER BY c.lines DESC, c.level) FILTER (WHERE c.level IS NOT NULL))[1] AS level
        FROM counted c GROUP BY c.attachment_id, c.template, c.service)
    SELECT t.attachment_id, t.template, t.service, t.lines, t.declared_levels, t.level, v.true_level
    FROM templates t CROSS JOIN LATERAL logintel._truth(NULL, t.template, t.level) AS v
    WHERE t.level IS NOT NULL;
$function$;

COMMENT ON FUNCTION logintel._declared_templates() IS 'Templates by service, with the lines that declare each level, the level of most, and the verdict on it.';

-- Opinions on each of these; the words of those that nobody asked yet are asked now.
CREATE OR REPLACE FUNCTION logintel._opinions_on_templates() RETURNS TABLE (
    attachment_id integer, template text, service text, lines bigint, declared_levels jsonb, declared_level text,
    true_level text, problem boolean, words real, neighbours real, by_level real[]
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    WITH declared AS MATERIALIZED (
        SELECT d.*, md5(d.template)::uuid AS template_hash FROM logintel._declared_templates() d),
    asked AS MATERIALIZED (
        SELECT a.* FROM logintel._ask_words(ARRAY(
            SELECT DISTINCT d.template FROM declared d
            WHERE NOT EXISTS (SELECT FROM logintel_internal.template_opinions o
                WHERE o.template_hash = d.template_hash))) a)
    SELECT d.attachment_id, d.template, d.service, d.lines, d.declared_levels, d.declared_level, d.true_level,
           coalesce(d.true_level, d.declared_level) IN ('WARN', 'ERROR', 'FATAL'),
           coalesce(o.words, logintel._problem_odds(a.by_level, logintel._words_temperature())), o.neighbours,
           coalesce(o.by_level, a.by_level)
    FROM declared d
    LEFT JOIN logintel_internal.template_opinions o ON o.template_hash = d.template_hash
    LEFT JOIN asked a ON a.template = d.template
    WHERE coalesce(o.by_level, a.by_level) IS NOT NULL;
$function$;

COMMENT ON FUNCTION logintel._opinions_on_templates() IS 'Templates by service with the opinions on them, and whether they are problems (WARN and above) as far as their sources, or verdicts, say.';

-- A service of five templates and more that declares all of them alike says nothing by its levels where the words say
-- that this is improbable. log_odds is the evidence against it: from 3 on its levels do not testify, from 5 on it is
-- reported.
CREATE OR REPLACE FUNCTION logintel._sources(
    attachment_ids integer[], services text[], problem boolean[], words real[], lines bigint[], decided boolean[]
) RETURNS TABLE (
    attachment_id integer, service text, templates bigint, problems bigint, evidence double precision
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    fit double precision[];
BEGIN
    SELECT logintel._fit_words(array_agg(t.words), array_agg(t.problem), array_agg(1 + ln(greatest(t.lines,
        1)::double precision)))
    INTO fit
    FROM (SELECT u.*, count(*) OVER s AS templates, bool_and(u.problem) OVER s AS all_problems,
          bool_or(u.problem) OVER s AS any_problem
          FROM unnest(attachment_ids, services, problem, words, lines) AS u (attached, service, problem, words, lines)
          WINDOW s AS (PARTITION BY u.attached, u.service)) AS t
    WHERE t.templates < 5 OR (t.any_problem AND NOT t.all_problems);
    RETURN QUERY
    SELECT t.attached, t.service, count(*), count(*) FILTER (WHERE t.problem),
           CASE WHEN count(*) < 5 OR bool_or(t.decided) THEN 0
                WHEN NOT bool_or(t.problem) THEN sum(ln(1 + exp(t.odds)))
                WHEN bool_and(t.problem) THEN sum(ln(1 + exp(-t.odds))) ELSE 0 END
    FROM (SELECT u.attached, u.service, u.problem, u.decided,
                 least(greatest(coalesce(fit[1], -1.5) + coalesce(fit[2], 1) * u.words, -30), 30) AS odds
          FROM unnest(attachment_ids, services, problem, words, decided)
              AS u (attached, service, problem, words, decided)) AS t
    GROUP BY t.attached, t.service;
END
$function$;

COMMENT ON FUNCTION logintel._sources(integer[], text[], boolean[], real[], bigint[], boolean[]) IS 'Services with their templates, those that are problems, and the evidence that their levels do not depend on what they say: minus the logarithm of how probable they are, where all are alike and no verdict changed one.';
