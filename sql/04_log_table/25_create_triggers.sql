-- Makes what is missing, so that maintain() can call it for partitions that came later. A trigger is known by what it
-- does, not by its name alone: the owner of a table may have put another one in its place.
CREATE OR REPLACE FUNCTION logintel._line_triggers() RETURNS TABLE (
    name name, event text, type smallint, old_table name, new_table name, calls text
)
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    VALUES  -- type as in pg_trigger.tgtype: AFTER the event, FOR EACH STATEMENT
        ('logintel_insert'::name, 'INSERT', 4::smallint, NULL::name, 'new_lines'::name, 'logintel._score_new_lines'),
        ('logintel_update', 'UPDATE', 16, 'old_lines', 'new_lines', 'logintel._score_changed_lines'),
        ('logintel_delete', 'DELETE', 8, 'old_lines', NULL, 'logintel._forget_deleted_lines'),
        ('logintel_truncate', 'TRUNCATE', 32, NULL, NULL, 'logintel._forget_truncated_lines');
END;

COMMENT ON FUNCTION logintel._line_triggers() IS 'The triggers that a log table and each of its partitions has.';

CREATE OR REPLACE FUNCTION logintel._trigger_states(log_table regclass) RETURNS TABLE (tbl regclass, name name, state text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.tbl, v.name,
           CASE WHEN g.oid IS NULL THEN 'missing'
                WHEN g.tgfoid IS DISTINCT FROM to_regproc(v.calls)::oid OR g.tgtype <> v.type OR g.tgqual IS NOT NULL
                     OR g.tgattr::text <> '' OR (g.tgoldtable, g.tgnewtable) IS DISTINCT FROM (v.old_table, v.new_table)
                THEN 'replaced'
                WHEN g.tgenabled NOT IN ('O', 'A') THEN 'disabled'
                ELSE 'ok' END
    FROM logintel._trigger_tables(log_table) AS t (tbl)
    CROSS JOIN logintel._line_triggers() v
    LEFT JOIN pg_trigger g ON g.tgrelid = t.tbl AND g.tgname = v.name;
END;

COMMENT ON FUNCTION logintel._trigger_states(regclass) IS 'Each trigger of a log table and its partitions: ok, missing, replaced by another one of its name, or disabled.';

CREATE OR REPLACE FUNCTION logintel._create_trigger(tbl regclass, name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    wanted record;
BEGIN
    SELECT v.* INTO wanted FROM logintel._line_triggers() v WHERE v.name = _create_trigger.name;
    EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER %s ON %s%s%s%s FOR EACH STATEMENT EXECUTE FUNCTION %s()',
                   wanted.name, wanted.event, tbl,
                   CASE WHEN wanted.old_table IS NOT NULL OR wanted.new_table IS NOT NULL THEN ' REFERENCING' END,
                   ' OLD TABLE AS ' || quote_ident(wanted.old_table), ' NEW TABLE AS ' || quote_ident(wanted.new_table),
                   wanted.calls);
    -- Dropping the extension, where logintel is one, takes its triggers along, and nothing else of the user's.
    IF EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'logintel') THEN
        EXECUTE format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION logintel', wanted.name, tbl);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._create_trigger(regclass, name) IS 'Creates a trigger of a log table or partition, in the place of another one of its name.';

CREATE OR REPLACE FUNCTION logintel._create_triggers(log_table regclass) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    lacking record;
    made integer := 0;
BEGIN
    FOR lacking IN SELECT s.tbl, s.name FROM logintel._trigger_states(log_table) s WHERE s.state IN ('missing', 'replaced') LOOP
        PERFORM logintel._create_trigger(lacking.tbl, lacking.name);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$function$;

COMMENT ON FUNCTION logintel._create_triggers(regclass) IS 'Creates the triggers that a log table or its partitions lack; returns how many.';

-- The upkeep waits for nobody who keeps a table locked: others queue behind it, and it has more to do.
CREATE OR REPLACE FUNCTION logintel._try_create_trigger(tbl regclass, name name) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS
$function$
BEGIN
    PERFORM logintel._create_trigger(tbl, name);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$function$;

COMMENT ON FUNCTION logintel._try_create_trigger(regclass, name) IS 'Creates a trigger; false where the table is locked.';

CREATE OR REPLACE FUNCTION logintel._try_create_triggers(log_table regclass, OUT made bigint, OUT locked regclass[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    lacking record;
BEGIN
    made := 0;
    locked := '{}';
    FOR lacking IN SELECT s.tbl, s.name FROM logintel._trigger_states(log_table) s WHERE s.state IN ('missing', 'replaced') LOOP
        IF lacking.tbl <> ALL (locked) THEN
            IF logintel._try_create_trigger(lacking.tbl, lacking.name) THEN
                made := made + 1;
            ELSE
                locked := locked || lacking.tbl;
            END IF;
        END IF;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._try_create_triggers(regclass) IS 'Creates the triggers that a log table or its partitions lack, save on tables that are locked; returns how many, and these tables.';
