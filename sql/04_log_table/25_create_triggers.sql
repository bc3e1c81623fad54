-- Makes what is missing, so that maintain() can call it for partitions that came later.
CREATE OR REPLACE FUNCTION logintel._create_triggers(log_table regclass) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    missing record;
    made integer := 0;
BEGIN
    FOR missing IN
        SELECT t.log_table AS tbl, v.name, v.event
        FROM logintel._trigger_tables(log_table) AS t(log_table),
             (VALUES ('logintel_insert', 'INSERT ON %s REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION logintel._score_new_lines()'),
                     ('logintel_update', 'UPDATE ON %s REFERENCING OLD TABLE AS old_lines NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION logintel._score_changed_lines()'),
                     ('logintel_delete', 'DELETE ON %s REFERENCING OLD TABLE AS old_lines FOR EACH STATEMENT EXECUTE FUNCTION logintel._forget_deleted_lines()'),
                     ('logintel_truncate', 'TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION logintel._forget_truncated_lines()')
             ) AS v(name, event)
        WHERE NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = t.log_table AND g.tgname = v.name)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER ' || missing.event, missing.name, missing.tbl);
        -- Dropping the extension, where logintel is one, takes its triggers along, and nothing else of the user's.
        IF EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'logintel') THEN
            EXECUTE format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION logintel', missing.name, missing.tbl);
        END IF;
        made := made + 1;
    END LOOP;
    RETURN made;
END
$function$;

COMMENT ON FUNCTION logintel._create_triggers(regclass) IS 'Creates the triggers that a log table or its partitions lack; returns how many.';
