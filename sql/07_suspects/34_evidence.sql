-- Why the words say so: how far the log-odds of WARN and above fall when a word is left out. The five that matter most,
-- of the first 24; a template of more than 60 words has none that tells much.
CREATE OR REPLACE FUNCTION logintel._telling_words(templates text[]) RETURNS TABLE (template text, telling_words jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    WITH words AS MATERIALIZED (
        SELECT t.template, w.word, w.number, logintel._without_word(t.words, w.number) AS rest
        FROM (SELECT u.template, regexp_split_to_array(btrim(u.template), '\s+') AS words
              FROM unnest(templates) AS u (template)) AS t
        CROSS JOIN LATERAL unnest(t.words[:24]) WITH ORDINALITY AS w (word, number)
        WHERE cardinality(t.words) <= 60 AND w.word ~ '[[:alpha:]]'),
    asked AS MATERIALIZED (
        SELECT a.template, logintel._problem_odds(a.by_level, logintel._words_temperature()) AS odds
        FROM logintel._ask_words(ARRAY(
            SELECT w.template FROM words w UNION SELECT w.rest FROM words w)) a),
    weighed AS (
        SELECT w.template, w.word, max(whole.odds - rest.odds) AS weight,
               row_number() OVER (PARTITION BY w.template
                                  ORDER BY max(abs(whole.odds - rest.odds)) DESC, w.word) AS place
        FROM words w JOIN asked whole ON whole.template = w.template JOIN asked rest ON rest.template = w.rest
        GROUP BY w.template, w.word)
    SELECT w.template, jsonb_object_agg(w.word, round(w.weight::numeric, 2)) FILTER (WHERE abs(w.weight) >= 0.05)
    FROM weighed w WHERE w.place <= 5 GROUP BY w.template;
$function$;

COMMENT ON FUNCTION logintel._telling_words(text[]) IS 'The words of each template that move the opinion on it most, with what each adds to the log-odds of WARN and above.';

CREATE OR REPLACE FUNCTION logintel._without_word(words text[], number bigint) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN array_to_string(words[:number - 1] || words[number + 1:], ' ');

COMMENT ON FUNCTION logintel._without_word(text[], bigint) IS 'The words without the one at this place.';

-- By the share of words that two templates have in common. Masks are no words; of a long template the first 30 count.
-- What more than 200 templates have in common tells nothing of any two, and would cost the square of their number.
CREATE OR REPLACE FUNCTION logintel._nearest_templates(templates text[])
RETURNS TABLE (template text, nearest_templates jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    WITH known AS MATERIALIZED (
        SELECT d.template, (array_agg(coalesce(d.true_level, d.declared_level) ORDER BY d.lines DESC))[1] AS level
        FROM logintel._declared_templates() d GROUP BY d.template),
    words AS MATERIALIZED (
        SELECT DISTINCT k.template, w.word
        FROM known k CROSS JOIN LATERAL unnest((array_remove(logintel._tokens(k.template), '<*>'))[:30]) AS w (word)),
    telling AS MATERIALIZED (
        SELECT w.word FROM words w GROUP BY w.word HAVING count(*) BETWEEN 2 AND 200),
    counted AS MATERIALIZED (
        SELECT w.template, count(*) AS words FROM words w GROUP BY w.template),
    shared AS (
        SELECT own.template, other.template AS other, count(*) AS words
        FROM words own JOIN telling t ON t.word = own.word
        JOIN words other ON other.word = own.word AND other.template <> own.template
        WHERE own.template = ANY (templates)
        GROUP BY own.template, other.template),
    nearest AS (
        SELECT s.template, s.other, n.likeness,
               row_number() OVER (PARTITION BY s.template ORDER BY n.likeness DESC, s.other) AS place
        FROM shared s
        JOIN counted own ON own.template = s.template JOIN counted other ON other.template = s.other
        CROSS JOIN LATERAL (SELECT s.words::double precision / (own.words + other.words - s.words) AS likeness) AS n)
    SELECT n.template, jsonb_agg(jsonb_build_object('template', left(n.other, 200), 'level', k.level, 'likeness',
                                                    round(n.likeness::numeric, 2)) ORDER BY n.place)
    FROM nearest n JOIN known k ON k.template = n.other WHERE n.place <= 3 GROUP BY n.template;
$function$;

COMMENT ON FUNCTION logintel._nearest_templates(text[]) IS 'The three templates that share most words with each of these, with the level that most of their lines declare, or a verdict says.';

CREATE OR REPLACE FUNCTION logintel._with_evidence(suspects logintel_internal.suspects[]) RETURNS SETOF
    logintel_internal.suspects
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    templates text[] := ARRAY(SELECT s.template FROM unnest(suspects) s GROUP BY 1 ORDER BY min(s.rank) LIMIT 50);
    words jsonb := (SELECT jsonb_object_agg(md5(w.template), w.telling_words)
                    FROM logintel._telling_words(templates) w);
    nearest jsonb := (SELECT jsonb_object_agg(md5(n.template), n.nearest_templates)
                      FROM logintel._nearest_templates(templates) n);
    suspect logintel_internal.suspects;
BEGIN
    FOREACH suspect IN ARRAY suspects LOOP
        suspect.telling_words := words -> md5(suspect.template);
        suspect.nearest_templates := nearest -> md5(suspect.template);
        RETURN NEXT suspect;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._with_evidence(logintel_internal.suspects[]) IS 'The same suspects, those of the first 50 templates with the words that tell and the nearest templates.';

CREATE OR REPLACE FUNCTION logintel._suspects_with_evidence() RETURNS SETOF logintel_internal.suspects
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF logintel._has_many_scores() AND logintel._upkeep_has_judged() THEN
        RETURN QUERY SELECT * FROM logintel._suspects();
    ELSE
        RETURN QUERY
            SELECT * FROM logintel._with_evidence(ARRAY(SELECT s FROM logintel._suspects() s ORDER BY s.rank));
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._suspects_with_evidence() IS 'The rows of ml_suspects.';
