-- Of a template without a known word, the default models say what they say of an empty one.
CREATE OR REPLACE FUNCTION logintel._check_075_languages() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
    WITH templates AS (
        SELECT s.service, s.template, min(o.words) = min(e.words) AS is_unknown
        FROM logintel_internal.scores s
        JOIN logintel_internal.template_opinions o ON o.template_hash = md5(s.template)::uuid
        CROSS JOIN (SELECT logintel._problem_odds(w.by_level, logintel._words_temperature()) AS words
                    FROM logintel._ask_words(ARRAY['']) w) AS e
        WHERE s.template ~ '[^\s<*>]' GROUP BY s.service, s.template),
    services AS (
        SELECT t.service, count(*) AS templates, count(*) FILTER (WHERE t.is_unknown) AS unknown
        FROM templates t GROUP BY t.service)
    SELECT 'note', format('the default models know no word of %s of the %s templates of service "%s": what they say of '
                          'these is a guess', s.unknown, s.templates, s.service),
           'logintel train --deploy, which learns from its lines'
    FROM services s
    WHERE s.templates >= 10 AND s.unknown > s.templates / 2
      AND (SELECT m.level_is_default FROM logintel_internal.model_sets m WHERE m.id = logintel._set_in_force())
    ORDER BY s.unknown DESC, s.service LIMIT 5;
$function$;

COMMENT ON FUNCTION logintel._check_075_languages() IS 'Check of doctor(): services whose language the default models do not read.';
