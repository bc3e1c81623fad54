-- A log table that was changed is read by what its columns are called now as soon as the change is made, where a
-- superuser installed logintel: nobody else may have event triggers. A table can be renamed as if it were a view or an
-- index, and its columns by those of a table or type that it has them from. Elsewhere the next upkeep follows, and
-- lines wait so long. No change of anybody's fails or waits because of it.
CREATE OR REPLACE FUNCTION logintel._follow_changes() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
BEGIN
    PERFORM logintel._follow_log_table(a)
    FROM logintel_internal.attachments a JOIN pg_class c ON c.oid = a.log_table
    WHERE (SELECT bool_or(d.objid IN (c.oid, c.relnamespace, c.reloftype) OR logintel._is_below(c.oid, d.objid))
           FROM pg_event_trigger_ddl_commands() d);
EXCEPTION WHEN OTHERS THEN
    RETURN;
END
$function$;

COMMENT ON FUNCTION logintel._follow_changes() IS 'Event trigger: follows a change of the log table.';

CREATE OR REPLACE FUNCTION logintel._forget_dropped() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
BEGIN
    PERFORM logintel._follow_log_table(a) FROM logintel_internal.attachments a
    WHERE a.log_table IN (SELECT d.objid FROM pg_event_trigger_dropped_objects() d WHERE d.object_type = 'table');
EXCEPTION WHEN OTHERS THEN
    RETURN;
END
$function$;

COMMENT ON FUNCTION logintel._forget_dropped() IS 'Event trigger: forgets a log table that is dropped.';

DO $block$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_event_trigger t WHERE t.evtname = 'logintel_follow_changes') THEN
        CREATE EVENT TRIGGER logintel_follow_changes ON ddl_command_end
            WHEN TAG IN ('ALTER TABLE', 'ALTER SCHEMA', 'ALTER VIEW', 'ALTER INDEX', 'ALTER TYPE')
            EXECUTE FUNCTION logintel._follow_changes();
        COMMENT ON EVENT TRIGGER logintel_follow_changes IS 'Lets logintel follow changes of log tables.';
        CREATE EVENT TRIGGER logintel_forget_dropped ON sql_drop EXECUTE FUNCTION logintel._forget_dropped();
        COMMENT ON EVENT TRIGGER logintel_forget_dropped IS 'Lets logintel forget a log table that is dropped.';
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE DEBUG 'only a superuser may create event triggers';
END
$block$;
