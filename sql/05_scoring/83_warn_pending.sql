-- One warning a reason and a minute in each session: an application that writes a thousand lines a second is not to
-- drown in it. Lines that a model set failed to score are noted, for maintain() to count.
CREATE OR REPLACE FUNCTION logintel._warn_pending(reason text, lines bigint, model_set_id integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    warning text := format('%s %s', date_trunc('minute', clock_timestamp()), reason);
BEGIN
    IF model_set_id IS NOT NULL THEN
        INSERT INTO logintel_internal.failures (model_set_id, reason, lines)
        VALUES (_warn_pending.model_set_id, left(_warn_pending.reason, 1000), _warn_pending.lines);
    END IF;
    IF current_setting('logintel.last_warning', true) IS DISTINCT FROM warning THEN
        PERFORM set_config('logintel.last_warning', warning, false);
        RAISE WARNING 'log lines are stored without a prediction: %', reason
            USING HINT = 'Run SELECT * FROM logintel.doctor(); then SELECT logintel.backfill(), or logintel worker, scores the pending lines.';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._warn_pending(text, bigint, integer) IS 'Notes that a model set failed to score lines, null for none in force, and warns that they are left pending, at most once a minute for each reason in a session.';
