CREATE OR REPLACE FUNCTION logintel._check_061_lines() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    pending bigint := (SELECT s.pending FROM logintel.ml_status s);
BEGIN
    RETURN QUERY SELECT CASE WHEN pending > 0 THEN 'note' ELSE 'ok' END, format('%s lines are pending', pending),
                        CASE WHEN pending > 0 THEN 'let "logintel worker" run, or SELECT logintel.backfill() until it returns 0' END;
END
$function$;

COMMENT ON FUNCTION logintel._check_061_lines() IS 'Check of doctor(): pending lines.';
