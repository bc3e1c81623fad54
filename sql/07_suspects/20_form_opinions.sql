CREATE OR REPLACE FUNCTION logintel._words_model() RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT m.id FROM logintel_internal.models m WHERE m.name = 'level' AND logintel._is_default(m.id)
        ORDER BY m.version DESC LIMIT 1);

COMMENT ON FUNCTION logintel._words_model() IS 'The newest default level model, whatever is deployed; null where none is registered.';

CREATE OR REPLACE FUNCTION logintel._laid_out_sets_075_words() RETURNS SETOF integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$ SELECT s.id FROM logintel_internal.model_sets s
    WHERE s.model_ids = ARRAY[logintel._words_model()] $function$;

COMMENT ON FUNCTION logintel._laid_out_sets_075_words() IS 'The set of the default level model, which gives its opinion whatever is deployed.';

CREATE OR REPLACE FUNCTION logintel._prepare_words() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT logintel._lay_out(logintel._model_set(ARRAY[m.id])) FROM (SELECT logintel._words_model() AS id) AS m
    WHERE m.id IS NOT NULL;
$function$;

COMMENT ON FUNCTION logintel._prepare_words() IS 'Lays the default level model out, so that SQL can ask it.';

CREATE OR REPLACE FUNCTION logintel._on_deployment_075_prepare_words(deployment bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'SELECT logintel._prepare_words()';

COMMENT ON FUNCTION logintel._on_deployment_075_prepare_words(bigint) IS 'Lays the default level model out from the first deployment on.';

-- Problem or not, as odds: 0 and 1 have none. A model's temperature, which makes its confidence what people expect, is
-- taken back, so that the opinion weighs what its words do.
CREATE OR REPLACE FUNCTION logintel._problem_odds(by_level real[], temperature double precision) RETURNS real
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT ln(sum(p.p) FILTER (WHERE p.n > 2) / sum(p.p) FILTER (WHERE p.n <= 2))::real
        FROM (SELECT greatest(u.p::double precision, 1e-6) ^ temperature AS p, u.n
              FROM unnest(by_level) WITH ORDINALITY AS u (p, n)) AS p);

COMMENT ON FUNCTION logintel._problem_odds(real[], double precision) IS 'Log-odds of WARN and above, of the probabilities of the five levels by a model with this temperature.';

CREATE OR REPLACE FUNCTION logintel._words_temperature() RETURNS double precision
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT (m.metadata ->> 'temperature')::double precision FROM logintel_internal.models m
                 WHERE m.id = logintel._words_model()), 1);

COMMENT ON FUNCTION logintel._words_temperature() IS 'The temperature of the default level model.';

-- Templates that nobody asked yet are asked by who reads, so the first line has an opinion.
CREATE OR REPLACE FUNCTION logintel._ask_words(templates text[]) RETURNS TABLE (template text, by_level real[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    lanes logintel_internal.layouts[] := logintel._lanes((SELECT s FROM logintel._laid_out_sets_075_words() s));
    batch text[];
    nothing text[];
    scores logintel._scores;
BEGIN
    IF lanes IS NULL THEN
        RETURN;
    END IF;
    FOR from_here IN 1 .. cardinality(templates) BY 256 LOOP
        batch := templates[from_here : from_here + 255];
        nothing := array_fill(''::text, ARRAY[cardinality(batch)]);
        scores := logintel._score_in_sql(
            lanes, ROW(NULL, batch, nothing, nothing, nothing, nothing, nothing, NULL)::logintel._shapes);
        RETURN QUERY SELECT b.template, scores.level_probabilities[5 * b.n - 4 : 5 * b.n]
                     FROM unnest(batch) WITH ORDINALITY AS b (template, n);
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._ask_words(text[]) IS 'What the default level model says of templates: the probability of each level; nothing where it is not laid out.';

CREATE OR REPLACE FUNCTION logintel._form_opinions(templates text[]) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    WITH formed AS (
        INSERT INTO logintel_internal.template_opinions (template_hash, words, by_level, words_model_id)
        SELECT md5(w.template)::uuid, logintel._problem_odds(w.by_level, logintel._words_temperature()), w.by_level,
            logintel._words_model()
        FROM logintel._ask_words(templates) w
        ON CONFLICT (template_hash) DO UPDATE
        SET words = excluded.words, by_level = excluded.by_level, words_model_id = excluded.words_model_id,
            formed_at = now()
        RETURNING 1)
    SELECT count(*) FROM formed;
$function$;

COMMENT ON FUNCTION logintel._form_opinions(text[]) IS 'Notes what the default level model says of templates; returns of how many.';

-- A new default model is asked of every template again, some at a time.
CREATE OR REPLACE FUNCTION logintel._task_075_form_opinions() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    to_read record := logintel._read_counts('opinions', 20000);
    formed bigint;
    outdated text[];
BEGIN
    IF NOT EXISTS (SELECT FROM logintel._laid_out_sets_075_words() s WHERE logintel._is_laid_out(s))
       AND logintel._try_lock('deployments') THEN
        PERFORM logintel._prepare_words();
    END IF;
    formed := logintel._form_opinions(ARRAY(
        SELECT DISTINCT s.template
        FROM (SELECT DISTINCT c.score_id FROM logintel_internal.count_changes c
              WHERE c.id > to_read.after_id AND c.id <= to_read.up_to_id AND c.lines > 0) AS c
        JOIN logintel_internal.scores s ON s.id = c.score_id
        WHERE NOT EXISTS (SELECT FROM logintel_internal.template_opinions o
            WHERE o.template_hash = md5(s.template)::uuid)));
    IF EXISTS (SELECT FROM logintel_internal.template_opinions o WHERE o.words_model_id <> logintel._words_model()) THEN
        outdated := ARRAY(
            SELECT DISTINCT s.template FROM logintel_internal.scores s
            JOIN logintel_internal.template_opinions o ON o.template_hash = md5(s.template)::uuid
            WHERE o.words_model_id <> logintel._words_model() LIMIT 5000);
        DELETE FROM logintel_internal.template_opinions o
            WHERE outdated = '{}' AND o.words_model_id <> logintel._words_model();
        formed := formed + logintel._form_opinions(outdated);
        END IF;
    RETURN formed;
END
$function$;

COMMENT ON FUNCTION logintel._task_075_form_opinions() IS 'Task of the upkeep: asks the default level model of templates that are new.';

CREATE OR REPLACE FUNCTION logintel._on_lines_forgotten_075_opinions(subject bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF logintel._is_only_attachment(subject::integer) THEN
        TRUNCATE logintel_internal.template_opinions, logintel_internal.suspects;
    END IF;
    DELETE FROM logintel_internal.suspects s WHERE s.attachment_id = subject;
    UPDATE logintel_internal.suspects_state SET judged_at = NULL;
END
$function$;

COMMENT ON FUNCTION logintel._on_lines_forgotten_075_opinions(bigint) IS 'Removes the opinions when all lines are gone.';

CREATE OR REPLACE FUNCTION logintel._on_day_dropped_075_opinions(subject bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    DELETE FROM logintel_internal.template_opinions o
    WHERE o.template_hash NOT IN (SELECT md5(s.template)::uuid FROM logintel_internal.scores s);
$function$;

COMMENT ON FUNCTION logintel._on_day_dropped_075_opinions(bigint) IS 'Removes opinions of templates that no score has any more.';
