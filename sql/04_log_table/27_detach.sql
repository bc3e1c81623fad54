-- Predictions that another transaction wrote before this one, and that a snapshot from before does not see, are found
-- when lines and predictions are compared next.
CREATE OR REPLACE FUNCTION logintel._end_attachment(attachment_id integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    DELETE FROM logintel_internal.attachments a WHERE a.id = attachment_id;
    PERFORM logintel._announce('lines_forgotten', attachment_id);
END
$function$;

COMMENT ON FUNCTION logintel._end_attachment(integer) IS 'Ends an attachment: what is known of its lines goes.';

-- Predictions go with the attachment: they point to lines by key, and the next table has keys of its own. Triggers of a
-- table are its owner's to drop, as they were to make.
CREATE OR REPLACE FUNCTION logintel.detach(log_table regclass DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    attached logintel_internal.attachments := logintel._attachment(detach.log_table);
    lines_trigger record;
BEGIN
    IF NOT pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = attached.log_table), 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', attached.log_table USING ERRCODE = 'insufficient_privilege',
            HINT = 'Have its owner, or a superuser, detach it.';
    END IF;
    -- Writers lock the table first, and what logintel has after it: so does this, and nobody is a deadlock's victim.
    -- A trigger that was left on a partition which is none any more goes with the last table: it may be anybody's.
    FOR lines_trigger IN
        SELECT g.tgname, g.tgrelid::regclass AS tbl
        FROM pg_trigger g JOIN logintel._installer_triggers() v ON g.tgname = v.name AND g.tgfoid = to_regproc(v.calls)
        WHERE logintel._is_below(g.tgrelid, attached.log_table)
           OR NOT EXISTS (SELECT FROM logintel_internal.attachments a WHERE a.id <> attached.id)
        ORDER BY g.tgrelid <> attached.log_table, g.tgrelid
    LOOP
        PERFORM logintel._installer_drop_trigger(lines_trigger.tbl, lines_trigger.tgname);
    END LOOP;
    PERFORM logintel._end_attachment(attached.id);
END
$function$;

COMMENT ON FUNCTION logintel.detach(regclass) IS 'Detaches a log table and removes its predictions; the lines and those of other tables stay. Where one table is attached it need not be named.';
