-- The level is the likeliest of those of its kind that any template of the database declares, by the words.
CREATE OR REPLACE FUNCTION logintel._suspects_among_all() RETURNS SETOF logintel_internal.suspects
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    WITH judged AS MATERIALIZED (
        SELECT j.* FROM logintel._judged_templates() j),
    used AS MATERIALIZED (
        SELECT DISTINCT coalesce(j.true_level, j.declared_level) AS level FROM judged j),
    suspects AS MATERIALIZED (
        SELECT j.*, p.predicted_level, 1 / (1 + exp(-(1.2 * abs(j.score_of_suspicion) - 0.7))) AS confidence
        FROM judged j
        CROSS JOIN LATERAL (
            SELECT l.level AS predicted_level
            FROM unnest('{DEBUG,INFO,WARN,ERROR,FATAL}'::text[], j.by_level)
                WITH ORDINALITY AS l (level, probability, number)
            WHERE (l.number >= 3) = (j.suspicion = 'hidden problem')
            ORDER BY l.level IN (SELECT u.level FROM used u) DESC, l.probability DESC LIMIT 1) AS p
        WHERE j.suspicion IS NOT NULL),
    own AS MATERIALIZED (
        SELECT u.attachment_id, u.template, u.service, c.id FROM suspects u
        JOIN logintel_internal.scores c ON c.template = u.template AND c.service = u.service
            AND logintel._attachment_of(c.id) = u.attachment_id
        JOIN logintel.level_names n ON n.name = logintel._level_name(c.level)
        WHERE n.level IN ('DEBUG', 'INFO') = (u.suspicion = 'hidden problem')),
    seen AS (
        SELECT o.attachment_id, o.template, o.service, array_agg(o.id) AS score_ids, min(h.first_at) AS first_seen,
               max(h.last_at) AS last_seen
        FROM own o
        CROSS JOIN LATERAL (SELECT min(c.first_at) AS first_at, max(c.last_at) AS last_at
                            FROM logintel_internal.hourly_counts c WHERE c.score_id = o.id) AS h
        GROUP BY o.attachment_id, o.template, o.service)
    SELECT row_number() OVER (ORDER BY (2 * s.confidence - 1)
                                       * abs(predicted.severity_number - declared.severity_number)
                                       * (1 + ln(s.lines::double precision)) DESC, s.template, s.service,
                                       s.attachment_id),
           s.suspicion, CASE WHEN s.stamped >= 3 THEN 'source_stamps_one_level' ELSE 'template_mislabelled' END,
           s.template, s.service, s.lines, s.declared_level, s.declared_levels, s.predicted_level, s.confidence::real,
           s.words, s.neighbours, s.service_says::real, s.twins_say::real, NULL::jsonb, NULL::jsonb, n.first_seen,
           n.last_seen, n.score_ids, now(), s.attachment_id
    FROM suspects s
    JOIN logintel_internal.levels predicted ON predicted.level = s.predicted_level
    JOIN logintel_internal.levels declared ON declared.level = s.declared_level
    JOIN seen n ON n.attachment_id = s.attachment_id AND n.template = s.template AND n.service = s.service;
$function$;

COMMENT ON FUNCTION logintel._suspects_among_all() IS 'The rows of suspects, judged now.';

-- Few templates take tens of milliseconds to judge, very many take seconds. So the upkeep does it, and notes what it
-- went by. What it said of few counts for two minutes, while there are no new verdicts and no new shapes; else they are
-- judged when somebody asks. Very many are judged by the upkeep alone, every ten minutes and after verdicts. Until it
-- has done so, those who ask wait, if there is an end to it.
CREATE OR REPLACE FUNCTION logintel._has_many_scores() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT count(*) > 3000 FROM (SELECT FROM logintel_internal.scores LIMIT 3001) AS s);

COMMENT ON FUNCTION logintel._has_many_scores() IS 'Whether there are too many scores to judge their templates whenever somebody asks.';

CREATE OR REPLACE FUNCTION logintel._verdicts_and_shapes(OUT verdicts text, OUT last_score bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN ROW((SELECT concat(max(f.id), ' ', count(*) FILTER (WHERE f.is_current)) FROM logintel_internal.feedback f),
           (SELECT q.last_value FROM logintel_internal.scores_id_seq q));

COMMENT ON FUNCTION logintel._verdicts_and_shapes() IS 'What tells whether there are new verdicts, or new shapes.';

CREATE OR REPLACE FUNCTION logintel._upkeep_has_judged() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN logintel._has_many_scores()
            THEN EXISTS (SELECT FROM logintel_internal.suspects_state s WHERE s.judged_at IS NOT NULL)
                 OR (SELECT count(*) > 30000 FROM (SELECT FROM logintel_internal.scores LIMIT 30001) AS s)
            ELSE EXISTS (SELECT FROM logintel_internal.suspects_state s
                         WHERE s.judged_at > now() - interval '2 minutes'
                           AND (s.verdicts, s.last_score) = (SELECT n.verdicts, n.last_score
                                                             FROM logintel._verdicts_and_shapes() n)) END;

COMMENT ON FUNCTION logintel._upkeep_has_judged() IS 'Whether what the upkeep said last of templates is what counts; of very many it does, even where it has said nothing yet.';

CREATE OR REPLACE FUNCTION logintel._suspects() RETURNS SETOF logintel_internal.suspects
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF logintel._upkeep_has_judged() THEN
        RETURN QUERY SELECT * FROM logintel_internal.suspects s ORDER BY s.rank;
    ELSE
        RETURN QUERY SELECT * FROM logintel._suspects_among_all() s ORDER BY s.rank;
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._suspects() IS 'The templates that are suspected, most harmful first, as judged now or, where there are very many, by the upkeep.';

CREATE OR REPLACE FUNCTION logintel._task_076_judge_templates() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    is_large CONSTANT boolean := logintel._has_many_scores();
    before logintel_internal.suspects_state := (SELECT s FROM logintel_internal.suspects_state s);
    now_at record;
    found bigint;
BEGIN
    SELECT n.*, (SELECT q.last_value FROM logintel_internal.count_changes_id_seq q) AS last_change INTO now_at
    FROM logintel._verdicts_and_shapes() n;
    IF is_large AND before.judged_at > now() - interval '10 minutes' AND before.verdicts = now_at.verdicts THEN
        RETURN 0;
    END IF;
    IF NOT is_large AND (before.verdicts, before.last_score, before.last_change)
                        = (now_at.verdicts, now_at.last_score, now_at.last_change) THEN
        UPDATE logintel_internal.suspects_state SET judged_at = now();
        RETURN 0;
    END IF;
    DELETE FROM logintel_internal.suspects;
    INSERT INTO logintel_internal.suspects SELECT * FROM logintel._suspects_among_all();
    GET DIAGNOSTICS found = ROW_COUNT;
    IF is_large THEN
        UPDATE logintel_internal.suspects s SET telling_words = e.telling_words, nearest_templates = e.nearest_templates
        FROM logintel._with_evidence(ARRAY(SELECT s FROM logintel_internal.suspects s ORDER BY s.rank)) e
            WHERE e.rank = s.rank;
    END IF;
    UPDATE logintel_internal.suspects_state
    SET judged_at = now(), verdicts = now_at.verdicts, last_score = now_at.last_score, last_change = now_at.last_change;
    RETURN found;
END
$function$;

COMMENT ON FUNCTION logintel._task_076_judge_templates() IS 'Task of the upkeep: judges all templates where there is something new; returns how many are suspected.';
