-- What the write path's cold half and the queue have in common. Each line's score is looked up by itself, by the index, as
-- in the hot path: a subquery with a limit is only ever joined by a nested loop, and the callers, into which this is
-- inlined, switch sequential scans off. So the plan is right on every version and for all statistics, none included. What
-- serves is read once by who scores lines, which are of one table, so that it stays the same between learning a shape and using it.
CREATE OR REPLACE FUNCTION logintel._set_for(line_id bigint, serving logintel_internal.serving) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN logintel._in_share(line_id, (serving).test_id, (serving).share) THEN (serving).challenger_set_id
            ELSE (serving).model_set_id END;

COMMENT ON FUNCTION logintel._set_for(bigint, logintel_internal.serving) IS 'The model set that serves a line.';

CREATE OR REPLACE FUNCTION logintel._look_up(lines logintel._line[], serving logintel_internal.serving) RETURNS TABLE (
    id bigint, "timestamp" timestamptz, shape_hash bigint, shape logintel.shape, model_set_id integer, score_id bigint
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT l.id, l."timestamp", l.shape_hash, l.shape, l.model_set_id, s.id
    FROM (SELECT u.id, u."timestamp", u.shape_hash, u.shape,
                 logintel._set_for(u.id, serving) AS model_set_id
          FROM unnest(lines) AS u OFFSET 0) AS l
    LEFT JOIN LATERAL (
        SELECT k.id FROM logintel_internal.scores k
        WHERE k.model_set_id = l.model_set_id AND k.shape_hash = l.shape_hash AND k.evicted_txid IS NULL
          AND k.template = (l.shape).template LIMIT 1) AS s ON true;
END;

COMMENT ON FUNCTION logintel._look_up(logintel._line[], logintel_internal.serving) IS 'Which model set serves each line, and the score that it has for the line''s shape; null where it has none.';

CREATE OR REPLACE FUNCTION logintel._new_shapes(lines logintel._line[],
    serving logintel_internal.serving) RETURNS TABLE (
    model_set_id integer, shape_hash bigint, shape logintel.shape
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT DISTINCT ON (l.model_set_id, l.shape_hash) l.model_set_id, l.shape_hash, l.shape
    FROM logintel._look_up(lines, serving) l WHERE l.score_id IS NULL AND l.model_set_id IS NOT NULL;
END;

COMMENT ON FUNCTION logintel._new_shapes(logintel._line[], logintel_internal.serving) IS 'Shapes of lines that the model set which serves them has no score for, set by set.';

-- At most 256 shapes a batch: see _score_and_remember().
CREATE OR REPLACE FUNCTION logintel._unknown_batches(lines logintel._line[], serving logintel_internal.serving, takes_all boolean) RETURNS TABLE (
    model_set_id integer, shapes logintel._shapes
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off
AS $function$
    SELECT n.model_set_id,
           ROW(array_agg(n.shape_hash), array_agg((n.shape).template), array_agg((n.shape).service),
               array_agg((n.shape).source_type), array_agg((n.shape).level), array_agg((n.shape).status_class),
               array_agg((n.shape).latency_bucket), ($1[1]).attachment_id)::logintel._shapes
    FROM (SELECT u.*, row_number() OVER (PARTITION BY u.model_set_id) - 1 AS number 
          FROM (SELECT s.* FROM logintel._new_shapes($1, $2) s WHERE NOT $3
                UNION ALL
                SELECT a.* FROM (SELECT DISTINCT ON (1, 2) logintel._set_for(l.id, $2), l.shape_hash, l.shape FROM unnest($1) AS l) AS a
                WHERE $3) AS u
          WHERE u.model_set_id IS NOT NULL) AS n
    GROUP BY n.model_set_id, n.number / 256 ORDER BY n.model_set_id;
$function$;

COMMENT ON FUNCTION logintel._unknown_batches(logintel._line[], logintel_internal.serving, boolean) IS 'The unknown shapes of lines, or all of them, in batches that a model set can score.';

-- The others are told as lines: two may have one key, and only one of them a shape that is known.
CREATE OR REPLACE FUNCTION logintel._write_predictions(lines logintel._line[], serving logintel_internal.serving)
RETURNS logintel._line[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off AS
$function$
DECLARE
    unknown logintel._line[];
BEGIN
    WITH looked_up AS MATERIALIZED (
        SELECT l.id, l."timestamp", l.shape_hash, l.shape, l.score_id FROM logintel._look_up(lines, serving) l),
    scored AS (
        INSERT INTO logintel_internal.predictions (log_entry_id, score_id, "timestamp")
        SELECT l.id, l.score_id, coalesce(l."timestamp", now()) FROM looked_up l WHERE l.score_id IS NOT NULL)
    SELECT array_agg(ROW(l.id, l."timestamp", l.shape_hash, l.shape, (lines[1]).attachment_id)::logintel._line)
    INTO unknown
    FROM looked_up l WHERE l.score_id IS NULL;
    RETURN coalesce(unknown, '{}');
END
$function$;

COMMENT ON FUNCTION logintel._write_predictions(logintel._line[], logintel_internal.serving) IS 'Writes the predictions of lines whose shapes are known; returns the others.';
