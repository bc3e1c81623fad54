-- What a model of the neighbours learns from. A service that stamps one level on everything teaches nothing, nor does
-- a template whose level is doubted; a verdict is always believed.
CREATE OR REPLACE FUNCTION logintel._templates_as_declared() RETURNS TABLE (
    template text, service text, lines bigint, problem boolean, words real, testifies boolean, is_believed boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    SELECT j.template, j.service, j.lines, j.problem, j.words,
           j.true_level IS NOT NULL OR (j.stamped < 3 AND (j.problem OR j.words <= 1)),
           j.true_level IS NOT NULL OR (j.stamped < 3 AND j.suspicion IS NULL)
    FROM logintel._judged_templates() j ORDER BY j.template, j.service;
$function$;

COMMENT ON FUNCTION logintel._templates_as_declared() IS 'Templates by service; whether their level may teach what neighbours say, and whether it may teach the level model.';

-- The same template may stand in several services: its words are the same, and so is what its neighbours say.
CREATE OR REPLACE FUNCTION logintel._remember_neighbours(templates text[], odds real[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
    UPDATE logintel_internal.template_opinions o SET neighbours = n.odds
    FROM (SELECT md5(t.template)::uuid AS template_hash, avg(t.odds)::real AS odds
          FROM unnest(templates, odds) AS t (template, odds) GROUP BY 1) AS n
    WHERE o.template_hash = n.template_hash;
$function$;

COMMENT ON FUNCTION logintel._remember_neighbours(text[], real[]) IS 'Notes what the neighbours say of templates, in log-odds of WARN and above.';
