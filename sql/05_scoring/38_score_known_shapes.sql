-- What one set knows is scored with another before that one serves, so that writes go on finding known shapes. A subquery
-- for each shape, and no sequential scans, keep the planner, which takes a set for small while it grows, from reading all
-- of it for each. The scores are canonical at once, and nobody else makes scores canonical until the end of the transaction.
CREATE OR REPLACE FUNCTION logintel._score_known_shapes(known_to integer, learner integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS
$function$
DECLARE
    shapes logintel._shapes;
    learned bigint := 0;
BEGIN
    IF NOT logintel._can_score(learner) THEN
        RETURN 0;  -- its lines wait for the worker, those of known shapes too
    END IF;
    PERFORM logintel._publish_scores();
    FOR shapes IN
        WITH unknown AS (
            SELECT s.*, logintel._attachment_of(s.id) AS attachment_id,
                   row_number() OVER (PARTITION BY logintel._attachment_of(s.id)) - 1 AS n
            FROM logintel_internal.scores s
            WHERE s.model_set_id = known_to AND s.canonical AND (
                SELECT k.id FROM logintel_internal.scores k
                WHERE k.evicted_txid IS NULL AND k.model_set_id = learner AND k.shape_hash = s.shape_hash LIMIT 1) IS NULL)
        SELECT array_agg(u.shape_hash), array_agg(u.template), array_agg(u.service), array_agg(u.source_type),
               array_agg(u.level), array_agg(u.status_class), array_agg(u.latency_bucket),
               u.attachment_id
        FROM unknown u GROUP BY u.attachment_id, u.n / 256
    LOOP
        PERFORM logintel._score_and_remember(learner, shapes, canonical => true, at_write => false);
        learned := learned + cardinality(shapes.shape_hash);
    END LOOP;
    RETURN learned;
END
$function$;

COMMENT ON FUNCTION logintel._score_known_shapes(integer, integer) IS 'Scores the shapes that one set knows and another does not with that one; returns how many.';

CREATE OR REPLACE FUNCTION logintel._on_deployment_prepared_051_score_known_shapes(model_set_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    -- What rescore() lent the set is given back, or its own lines would be read as another version's.
    UPDATE logintel_internal.scores s SET rescored_id = NULL WHERE s.model_set_id = $1 AND s.rescored_id IS NOT NULL;
    PERFORM logintel._score_known_shapes(logintel._set_in_force(), model_set_id::integer);
END
$function$;

COMMENT ON FUNCTION logintel._on_deployment_prepared_051_score_known_shapes(bigint) IS 'Scores the shapes that the set in force knows with a set that is to serve beside it or after it.';
