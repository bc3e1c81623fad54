-- A verdict on a template is of all scores that have it: of those that are there when it is given, and of those that come.
CREATE OR REPLACE FUNCTION logintel._metrics_take_verdicts(OUT hours timestamptz[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS
$function$
DECLARE
    verdicts bigint[];
    templates text[];
BEGIN
    WITH taken AS (DELETE FROM logintel_internal.changed_verdicts RETURNING feedback_id)
    SELECT array_agg(DISTINCT t.feedback_id) INTO verdicts FROM taken t;
    IF verdicts IS NULL THEN
        RETURN;
    END IF;
    templates := ARRAY(SELECT DISTINCT (f.shape).template FROM logintel_internal.feedback f
                       WHERE f.id = ANY (verdicts) AND f.scope = 'template');
    WITH scores AS MATERIALIZED (
        SELECT s.id FROM logintel_internal.scores s WHERE s.template = ANY (templates)),
    noted AS (
        INSERT INTO logintel_internal.judged_scores (score_id) SELECT s.id FROM scores s ON CONFLICT DO NOTHING)
    SELECT array_agg(w.hour) INTO hours FROM (
        SELECT date_trunc('hour', p."timestamp", 'UTC') AS hour FROM logintel_internal.predictions p
        WHERE p.log_entry_id = ANY (ARRAY(
            SELECT f.log_entry_id FROM logintel_internal.feedback f WHERE f.id = ANY (verdicts) AND f.scope = 'line'))
        UNION
        SELECT h.hour FROM logintel_internal.hourly_counts h WHERE h.score_id = ANY (ARRAY(SELECT s.id
            FROM scores s))) AS w;
END
$function$;

COMMENT ON FUNCTION logintel._metrics_take_verdicts() IS 'The hours of lines whose verdicts changed since this was last asked.';

-- A line may go together with the verdict on it, so verdicts that were withdrawn count too.
CREATE OR REPLACE FUNCTION logintel._metrics_judged_changes(after_id bigint, up_to_id bigint) RETURNS timestamptz[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS
$function$
BEGIN
    IF NOT EXISTS (SELECT FROM logintel_internal.feedback) THEN
        RETURN NULL;
    END IF;
    INSERT INTO logintel_internal.judged_scores (score_id)
    SELECT c.score_id
    FROM logintel_internal.count_changes c
    CROSS JOIN LATERAL (SELECT o.template FROM logintel_internal.scores o WHERE o.id = c.score_id OFFSET 0) AS s
    WHERE c.id > after_id AND c.id <= up_to_id AND c.is_new
      AND EXISTS (SELECT FROM logintel_internal.feedback f WHERE f.is_current AND f.scope = 'template'
                  AND (f.shape).template = s.template AND md5((f.shape).template) = md5(s.template))
    ON CONFLICT DO NOTHING;
    RETURN ARRAY(
        SELECT DISTINCT c.hour
        FROM logintel_internal.count_changes c
        CROSS JOIN LATERAL (SELECT o.shape_hash FROM logintel_internal.scores o WHERE o.id = c.score_id OFFSET 0) AS s
        WHERE c.id > after_id AND c.id <= up_to_id
          AND (EXISTS (SELECT FROM logintel_internal.judged_scores j WHERE j.score_id = c.score_id)
               OR EXISTS (SELECT FROM logintel_internal.feedback f
                          WHERE f.shape_hash = s.shape_hash AND f.scope = 'line')));
END
$function$;

COMMENT ON FUNCTION logintel._metrics_judged_changes(bigint, bigint) IS 'The hours of those rows of count_changes that are of lines with a verdict, or with a shape that has one.';
