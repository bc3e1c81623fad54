-- Predictions go with the attachment: they point to lines by key, and the next table has keys of its own. Triggers of a
-- table are its owner's to drop, as they were to make.
CREATE OR REPLACE FUNCTION logintel.detach() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    attached regclass := (SELECT a.log_table FROM logintel_internal.attachments a);
    lines_trigger record;
BEGIN
    IF attached IS NULL THEN
        RAISE EXCEPTION 'no log table is attached' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Run SELECT logintel.attach(...) or SELECT logintel.create_log_entries().';
    ELSIF NOT pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = attached), 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', attached USING ERRCODE = 'insufficient_privilege',
            HINT = 'Have its owner, or a superuser, detach it.';
    END IF;
    -- Writers lock the table first, and what logintel has after it: so does this, and nobody is a deadlock's victim.
    FOR lines_trigger IN
        SELECT g.tgname, g.tgrelid::regclass AS tbl
        FROM pg_trigger g JOIN logintel._installer_triggers() v ON g.tgname = v.name AND g.tgfoid = to_regproc(v.calls)
        ORDER BY g.tgrelid <> attached, g.tgrelid
    LOOP
        PERFORM logintel._installer_drop_trigger(lines_trigger.tbl, lines_trigger.tgname);
    END LOOP;
    DELETE FROM logintel_internal.attachments;
    PERFORM logintel._announce('lines_forgotten', 0);
END
$function$;

COMMENT ON FUNCTION logintel.detach() IS 'Undoes attach(), for the owner of the log table: removes the triggers and the predictions. The log table stays as it is.';
