-- Predictions go with the attachment: they point to lines by key, and the next table has keys of its own.
CREATE OR REPLACE FUNCTION logintel.detach() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    attached regclass;
    lines_trigger record;
BEGIN
    DELETE FROM logintel.attachments RETURNING log_table INTO attached;
    IF attached IS NULL THEN
        RAISE EXCEPTION 'no log table is attached' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Run SELECT logintel.attach(...) or SELECT logintel.create_log_entries().';
    END IF;
    FOR lines_trigger IN
        SELECT g.tgname, g.tgrelid::regclass AS tbl
        FROM pg_trigger g JOIN logintel._trigger_tables(attached) AS t(tbl) ON g.tgrelid = t.tbl
        WHERE g.tgname IN ('logintel_insert', 'logintel_update', 'logintel_delete', 'logintel_truncate')
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', lines_trigger.tgname, lines_trigger.tbl);
    END LOOP;
    PERFORM logintel._announce('lines_forgotten', 0);
END
$function$;

COMMENT ON FUNCTION logintel.detach() IS 'Undoes attach(): removes the triggers and the predictions. The log table stays as it is.';
