CREATE OR REPLACE FUNCTION logintel._latest_prediction(attachment_id integer) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    latest timestamptz;
BEGIN
    EXECUTE format('SELECT max(p.predicted_at) FROM logintel_internal.predictions p '
                   'WHERE %s AND logintel._attachment_of(p.score_id) = $1',
                   logintel._not_counted((SELECT s.counted FROM logintel_internal.rollup_state s)))
    INTO latest USING attachment_id;
    RETURN greatest(latest, (SELECT l.predicted_at FROM logintel_internal.latest_predictions l
                             WHERE l.attachment_id = $1));
END
$function$;

COMMENT ON FUNCTION logintel._latest_prediction(integer) IS 'When the latest prediction of a log table was made.';
