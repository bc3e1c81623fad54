-- Predictions go with the attachment: they point to lines by key, and the next table has keys of its own. Triggers of a
-- table are its owner's to drop, as they were to make.
CREATE OR REPLACE FUNCTION logintel.detach() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    attached regclass := (SELECT a.log_table FROM logintel.attachments a);
    lines_trigger record;
BEGIN
    IF attached IS NULL THEN
        RAISE EXCEPTION 'no log table is attached' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Run SELECT logintel.attach(...) or SELECT logintel.create_log_entries().';
    ELSIF NOT pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = attached), 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', attached USING ERRCODE = 'insufficient_privilege',
            HINT = 'Have its owner, or a superuser, detach it.';
    END IF;
    DELETE FROM logintel.attachments;
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

COMMENT ON FUNCTION logintel.detach() IS 'Undoes attach(), for the owner of the log table: removes the triggers and the predictions. The log table stays as it is.';
