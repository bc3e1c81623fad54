-- Where nothing is left, everything starts afresh; where only a partition was truncated, its lines are looked for.
CREATE OR REPLACE FUNCTION logintel._forget_truncated_lines() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF NOT EXISTS (SELECT FROM logintel.log_lines) THEN
        PERFORM logintel._announce('lines_forgotten', 0);
    ELSE
        PERFORM logintel._remove_predictions(ARRAY(
            SELECT p.log_entry_id FROM logintel.predictions p
            WHERE NOT EXISTS (SELECT FROM logintel.log_lines l WHERE l.id = p.log_entry_id)));
    END IF;
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._forget_truncated_lines() IS 'Trigger on the log table: truncated lines take their predictions along.';
