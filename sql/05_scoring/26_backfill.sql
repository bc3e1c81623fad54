-- One batch a call, in the caller's transaction; call it until it returns 0. Any number of sessions work side by side:
-- each takes lines that no other has in hand.
CREATE OR REPLACE FUNCTION logintel.backfill(since timestamptz DEFAULT NULL, max_lines integer DEFAULT 10000)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_generic_plan AS
$function$
DECLARE
    taken bigint[];
BEGIN
    IF max_lines < 0 THEN
        RAISE EXCEPTION 'max_lines cannot be %', max_lines USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give a number of lines, such as backfill(max_lines => 10000), or null for all.';
    END IF;
    taken := logintel._take_pending(max_lines, since);
    IF taken <> '{}' THEN
        PERFORM logintel._score_lines(taken);
    END IF;
    RETURN cardinality(taken);
END
$function$;

COMMENT ON FUNCTION logintel.backfill(timestamptz, integer) IS 'Scores up to max_lines lines that wait for a prediction, oldest first; returns how many it took, 0 when none is left.';
