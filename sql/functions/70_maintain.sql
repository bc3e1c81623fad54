-- To be run every minute or so. Nobody waits for it but another maintain() or a deployment.
CREATE FUNCTION logintel.maintain() RETURNS TABLE (task text, done bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    attached regclass := (SELECT a.log_table FROM logintel.attachments a);
BEGIN
    LOCK TABLE logintel.deployments IN SHARE ROW EXCLUSIVE MODE;
    task := 'scores made canonical';
    done := logintel._promote_scores();
    RETURN NEXT;
    IF attached IS NOT NULL THEN
        task := 'triggers created on new partitions';
        done := logintel._create_triggers(attached);
        RETURN NEXT;
        task := 'predictions of vanished lines removed';
        DELETE FROM logintel.predictions p
        WHERE NOT EXISTS (SELECT FROM logintel.log_lines l WHERE l.id = p.log_entry_id);
        GET DIAGNOSTICS done = ROW_COUNT;
        RETURN NEXT;
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel.maintain() IS 'Regular upkeep, best run every minute: makes new scores canonical, covers new partitions, removes predictions whose lines are gone.';
