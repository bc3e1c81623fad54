-- By the index on the time of predictions. A table to which nobody writes any more would have it searched to its end.
CREATE OR REPLACE FUNCTION logintel._latest_prediction(attachment_id integer) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
BEGIN
    IF logintel._is_only_attachment(attachment_id) THEN
        RETURN (SELECT p.predicted_at FROM logintel_internal.predictions p ORDER BY p.predicted_at DESC LIMIT 1);
    END IF;
    RETURN (SELECT n.predicted_at
            FROM (SELECT p.predicted_at, p.score_id FROM logintel_internal.predictions p
                  ORDER BY p.predicted_at DESC LIMIT 20000) AS n
            WHERE logintel._attachment_of(n.score_id) = $1 LIMIT 1);
END
$function$;

COMMENT ON FUNCTION logintel._latest_prediction(integer) IS 'When the latest prediction of a log table was made, if it is among the latest of the database.';
