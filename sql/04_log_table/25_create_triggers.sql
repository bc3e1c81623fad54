-- Makes what is missing, so that maintain() can call it for partitions that came later. A trigger is known by what it
-- does, not by its name alone: the owner of a table may have put another one in its place.
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
    CROSS JOIN logintel._installer_triggers() v
    LEFT JOIN pg_trigger g ON g.tgrelid = t.tbl AND g.tgname = v.name;
END;

COMMENT ON FUNCTION logintel._trigger_states(regclass) IS 'Each trigger of a log table and its partitions: ok, missing, replaced by another one of its name, or disabled.';

CREATE OR REPLACE FUNCTION logintel._create_triggers(log_table regclass) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    lacking record;
    made integer := 0;
BEGIN
    FOR lacking IN SELECT s.tbl, s.name FROM logintel._trigger_states(log_table) s WHERE s.state IN ('missing', 'replaced') LOOP
        PERFORM logintel._installer_create_trigger(lacking.tbl, lacking.name);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$function$;

COMMENT ON FUNCTION logintel._create_triggers(regclass) IS 'Creates the triggers that a log table or its partitions lack; returns how many.';

-- The upkeep waits for nobody who keeps a table locked: others queue behind it, and it has more to do.
CREATE OR REPLACE FUNCTION logintel._try_create_trigger(tbl regclass, name name) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
BEGIN
    PERFORM logintel._installer_create_trigger(tbl, name);
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

-- Triggers of ours where they are no longer wanted: on a partition that was detached, and above a foreign one.
CREATE OR REPLACE FUNCTION logintel._left_triggers() RETURNS TABLE (tbl regclass, name name)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT g.tgrelid, v.name
    FROM logintel._installer_triggers() v
    JOIN pg_trigger g ON g.tgfoid = to_regproc(v.calls) AND g.tgname = v.name
    WHERE NOT EXISTS (SELECT FROM logintel_internal.attachments a CROSS JOIN LATERAL logintel._trigger_tables(a.log_table) AS t (tbl)
                      WHERE t.tbl = g.tgrelid);
END;

COMMENT ON FUNCTION logintel._left_triggers() IS 'Triggers on tables that are no part of the attached log table any more, or stand in the way of a foreign partition.';

CREATE OR REPLACE FUNCTION logintel._try_drop_trigger(tbl regclass, name name) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
BEGIN
    PERFORM logintel._installer_drop_trigger(tbl, name);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$function$;

COMMENT ON FUNCTION logintel._try_drop_trigger(regclass, name) IS 'Drops a trigger; false where the table is locked.';
