-- One batch a call, in the caller's transaction; call it until it returns 0. Two sessions take turns, so no line is
-- scored twice.
CREATE FUNCTION logintel.backfill(since timestamptz DEFAULT NULL, "limit" integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    pending bigint[];
BEGIN
    PERFORM logintel._lock_backfill();
    SELECT array_agg(p.id) INTO pending
    FROM (SELECT l.id FROM logintel.log_lines l
          WHERE (since IS NULL OR l."timestamp" >= since)
            AND NOT EXISTS (SELECT FROM logintel.predictions p WHERE p.log_entry_id = l.id)
          ORDER BY l.id LIMIT "limit") AS p;
    RETURN CASE WHEN pending IS NULL THEN 0 ELSE logintel._score_lines(pending) END;
END
$function$;

COMMENT ON FUNCTION logintel.backfill(timestamptz, integer) IS 'Scores up to "limit" lines that have no prediction, oldest first; returns how many, 0 when none is left.';
