-- History follows a new model by shapes, not by lines: a score is read as the one that the set in force gives the same
-- shape, and no prediction is touched. A shape whose template was cut by its eviction can't be scored again and keeps
-- what it was given. So do the sets that are tested beside the one in force.
CREATE OR REPLACE FUNCTION logintel.rescore(max_shapes integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off AS
$function$
DECLARE
    active integer := logintel._require_model_set();
    tested integer[] := (SELECT array_remove(v.shadow_set_ids || v.challenger_set_id, NULL) FROM logintel._serving() v);
    outdated bigint[];
    shapes logintel._shapes;
BEGIN
    IF max_shapes < 0 THEN
        RAISE EXCEPTION 'max_shapes cannot be %', max_shapes USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give a number of shapes, such as rescore(10000), or null for all.';
    END IF;
    SELECT array_agg(o.id) INTO outdated
    FROM (SELECT s.id FROM logintel_internal.scores s
          LEFT JOIN logintel_internal.scores r ON r.id = s.rescored_id
          WHERE coalesce(r.model_set_id, s.model_set_id) <> active
            AND (s.evicted_txid IS NULL OR length(s.template) < 200)
            AND s.model_set_id <> ALL (tested)
          ORDER BY s.id LIMIT max_shapes FOR UPDATE OF s SKIP LOCKED) AS o;
    FOR shapes IN
        SELECT array_agg(u.shape_hash), array_agg(u.template), array_agg(u.service), array_agg(u.source_type),
               array_agg(u.level), array_agg(u.status_class), array_agg(u.latency_bucket), u.attachment_id
        FROM (SELECT d.*, logintel._attachment_of(d.id) AS attachment_id,
                     row_number() OVER (PARTITION BY logintel._attachment_of(d.id)) - 1 AS number
              FROM (SELECT DISTINCT ON (s.shape_hash) s.* FROM logintel_internal.scores s
                    WHERE s.id = ANY (outdated) AND s.model_set_id <> active
                      AND (SELECT k.id FROM logintel_internal.scores k
                           WHERE k.model_set_id = active AND k.shape_hash = s.shape_hash AND k.evicted_txid IS NULL
                           LIMIT 1) IS NULL) AS d) AS u
        GROUP BY u.attachment_id, u.number / 256
    LOOP
        PERFORM logintel._score_and_remember(active, shapes, canonical => false, at_write => false);
    END LOOP;
    UPDATE logintel_internal.scores s
    SET rescored_id = CASE WHEN s.model_set_id <> active THEN
                          (SELECT k.id FROM logintel_internal.scores k
                           WHERE k.model_set_id = active AND k.shape_hash = s.shape_hash AND k.evicted_txid IS NULL
                           LIMIT 1) END
    WHERE s.id = ANY (outdated);
    RETURN coalesce(cardinality(outdated), 0);
END
$function$;

COMMENT ON FUNCTION logintel.rescore(integer) IS 'Lets up to max_shapes shapes of history be read as the models in force score them; returns how many, 0 when all are.';
