-- Makes one score of each new shape canonical and evicts its duplicates, oldest scores first. What it costs depends on what
-- is new, whatever the statistics say: the index of unpublished scores names the rows, each is looked up by its hash, and
-- they are changed by key.
CREATE OR REPLACE FUNCTION logintel._publish_scores(most bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS
$function$
DECLARE
    firsts bigint[];
    duplicates bigint[];
BEGIN
    PERFORM logintel._lock('scores');
    WITH oldest AS MATERIALIZED (
        SELECT s.id, s.model_set_id, s.shape_hash FROM logintel_internal.scores s
        WHERE NOT s.canonical AND s.evicted_txid IS NULL ORDER BY s.id LIMIT most),
    ranked AS (
        SELECT o.id, row_number() OVER (PARTITION BY o.model_set_id, o.shape_hash ORDER BY o.id) = 1 AND (
                   SELECT c.id FROM logintel_internal.scores c
                   WHERE c.canonical AND c.model_set_id = o.model_set_id AND c.shape_hash = o.shape_hash) IS NULL AS is_first
        FROM oldest o)
    SELECT array_agg(r.id) FILTER (WHERE r.is_first), array_agg(r.id) FILTER (WHERE NOT r.is_first)
    INTO firsts, duplicates FROM ranked r;
    UPDATE logintel_internal.scores s SET canonical = true WHERE s.id = ANY (firsts);
    UPDATE logintel_internal.scores s
    SET evicted_txid = txid_current(), template = left(s.template, 200), level_probabilities = NULL
    WHERE s.id = ANY (duplicates);
    RETURN coalesce(cardinality(firsts), 0) + coalesce(cardinality(duplicates), 0);
END
$function$;

COMMENT ON FUNCTION logintel._publish_scores(bigint) IS 'Makes one of the new scores of each shape canonical and evicts the others, up to most scores; returns how many.';

CREATE OR REPLACE FUNCTION logintel._task_051_publish_scores() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    -- A deployment that scores shapes is not waited for.
    RETURN CASE WHEN logintel._try_lock('scores') THEN logintel._publish_scores(50000) ELSE 0 END;
END
$function$;

COMMENT ON FUNCTION logintel._task_051_publish_scores() IS 'Task of the upkeep: makes new scores canonical; returns how many scores it looked at.';
