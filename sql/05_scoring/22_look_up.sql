-- What the write path's cold half and the queue have in common. Each line's score is looked up by itself, by the index, as
-- in the hot path: a subquery with a limit is never joined otherwise, and without sequential scans it reads nothing else.
-- So the plan is right on every version and for every statistics: none, or those of a table that has since grown.
CREATE OR REPLACE FUNCTION logintel._look_up(lines logintel._line[]) RETURNS TABLE (
    id bigint, "timestamp" timestamptz, shape_hash bigint, shape logintel.shape, model_set_id integer, score_id bigint
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off
AS $function$
    SELECT l.id, l."timestamp", l.shape_hash, l.shape, l.model_set_id, s.id
    FROM (SELECT u.id, u."timestamp", u.shape_hash, u.shape,
                 CASE WHEN logintel._in_share(u.id, v.test_id, v.share) THEN v.challenger_set_id ELSE v.model_set_id END AS model_set_id
          FROM unnest($1) AS u LEFT JOIN logintel._serving() v ON true OFFSET 0) AS l
    LEFT JOIN LATERAL (
        SELECT s.id FROM logintel.shape_scores s
        WHERE s.model_set_id = l.model_set_id AND s.shape_hash = l.shape_hash AND s.evicted_txid IS NULL LIMIT 1) AS s ON true;
$function$;

COMMENT ON FUNCTION logintel._look_up(logintel._line[]) IS 'Which model set serves each line, and the score that it has for the line''s shape; null where it has none.';

CREATE OR REPLACE FUNCTION logintel._unknown_shapes(lines logintel._line[]) RETURNS TABLE (
    model_set_id integer, shape_hash bigint, shape logintel.shape
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    SELECT DISTINCT ON (l.model_set_id, l.shape_hash) l.model_set_id, l.shape_hash, l.shape
    FROM logintel._look_up($1) l WHERE l.score_id IS NULL AND l.model_set_id IS NOT NULL;
$function$;

COMMENT ON FUNCTION logintel._unknown_shapes(logintel._line[]) IS 'Shapes of lines that the model set which serves them has no score for, set by set.';

-- At most 256 shapes a batch: see _learn_shapes().
CREATE OR REPLACE FUNCTION logintel._unknown_batches(lines logintel._line[]) RETURNS TABLE (
    model_set_id integer, shapes logintel._shapes
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    SELECT n.model_set_id,
           ROW(array_agg(n.shape_hash), array_agg((n.shape).template), array_agg((n.shape).service),
               array_agg((n.shape).source_type), array_agg((n.shape).level), array_agg((n.shape).status_class),
               array_agg((n.shape).latency_bucket))::logintel._shapes
    FROM (SELECT u.*, row_number() OVER (PARTITION BY u.model_set_id) - 1 AS number FROM logintel._unknown_shapes($1) u) AS n
    GROUP BY n.model_set_id, n.number / 256 ORDER BY n.model_set_id;
$function$;

COMMENT ON FUNCTION logintel._unknown_batches(logintel._line[]) IS 'The unknown shapes of lines in batches that a model set can score.';

CREATE OR REPLACE FUNCTION logintel._write_predictions(lines logintel._line[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    waiting bigint;
BEGIN
    WITH looked_up AS MATERIALIZED (
        SELECT l.id, l."timestamp", l.score_id FROM logintel._look_up(lines) l),
    scored AS (
        INSERT INTO logintel.predictions (log_entry_id, score_id, "timestamp")
        SELECT l.id, l.score_id, l."timestamp" FROM looked_up l WHERE l.score_id IS NOT NULL)
    INSERT INTO logintel.pending (log_entry_id) SELECT l.id FROM looked_up l WHERE l.score_id IS NULL;
    GET DIAGNOSTICS waiting = ROW_COUNT;
    RETURN waiting;
END
$function$;

COMMENT ON FUNCTION logintel._write_predictions(logintel._line[]) IS 'Writes the predictions of lines whose shapes are known; the others wait. Returns how many wait.';
