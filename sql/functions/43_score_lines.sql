-- Scores committed lines by key: what the write path left out. Used by backfill() and predict_log().
-- Errors are the caller's to see: nobody's insert depends on this.
CREATE FUNCTION logintel._score_lines(log_entry_ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    active integer := logintel._active_model_set();
    new_shapes logintel.shape[];
    scored bigint;
BEGIN
    IF active IS NULL THEN
        RAISE EXCEPTION 'no model is deployed' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Train one with "logintel train --deploy", or run SELECT logintel.deploy(name).';
    END IF;
    FOR new_shapes IN
        WITH line AS MATERIALIZED (
            SELECT logintel.shape(l.message, l.service, l.source_type, l.level, l.http_status, l.response_time_ms) AS shape
            FROM logintel.log_lines l WHERE l.id = ANY (log_entry_ids)),
        unknown AS (
            SELECT DISTINCT line.shape FROM line
            WHERE NOT EXISTS (
                SELECT FROM logintel.shape_scores s
                WHERE s.model_set_id = active AND s.shape_hash = logintel._hash_shape(
                    (line.shape).template, (line.shape).service, (line.shape).source_type,
                    (line.shape).level, (line.shape).status_class, (line.shape).latency_bucket))),
        numbered AS (SELECT shape, row_number() OVER () - 1 AS n FROM unknown)
        SELECT array_agg(shape) FROM numbered GROUP BY n / 256
    LOOP
        PERFORM logintel._learn_shapes(active, new_shapes, false);
    END LOOP;
    INSERT INTO logintel.predictions (log_entry_id, score_id)
    SELECT l.id, s.id
    FROM (SELECT t.id, logintel.shape_hash(t.message, t.service, t.source_type, t.level, t.http_status, t.response_time_ms) AS shape_hash
          FROM logintel.log_lines t WHERE t.id = ANY (log_entry_ids) OFFSET 0) AS l
    CROSS JOIN LATERAL (SELECT s.id FROM logintel.shape_scores s
                        WHERE s.model_set_id = active AND s.shape_hash = l.shape_hash LIMIT 1) AS s;
    GET DIAGNOSTICS scored = ROW_COUNT;
    RETURN scored;
END
$function$;

COMMENT ON FUNCTION logintel._score_lines(bigint[]) IS 'Scores the lines with these keys, which have no prediction yet; returns how many.';
