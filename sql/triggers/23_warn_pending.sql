-- One warning a reason and a minute in each session: an application that writes a thousand lines a second is not to
-- drown in it.
CREATE FUNCTION logintel._warn_pending(reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    warning text := format('%s %s', date_trunc('minute', clock_timestamp()), reason);
BEGIN
    IF current_setting('logintel.last_warning', true) IS DISTINCT FROM warning THEN
        PERFORM set_config('logintel.last_warning', warning, false);
        RAISE WARNING 'log lines are stored without a prediction: %', reason
            USING HINT = 'Run SELECT * FROM logintel.doctor(); then SELECT logintel.backfill() scores the pending lines.';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._warn_pending(text) IS 'Warns that lines are left pending, at most once a minute for each reason in a session.';
