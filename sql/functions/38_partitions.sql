-- Daily partitions, in UTC: of predictions always, of the log table where attach() was told to manage them.
CREATE FUNCTION logintel._partitioned_tables() RETURNS TABLE (parent regclass, column_name text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT a.log_table, a.columns ->> 'timestamp' FROM logintel.attachments a WHERE a.manages_partitions
    UNION ALL
    SELECT 'logintel.predictions'::regclass, 'timestamp';
END;

COMMENT ON FUNCTION logintel._partitioned_tables() IS 'The tables whose daily partitions logintel manages.';

CREATE FUNCTION logintel._partition_name(parent regclass, day date) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT format('%I.%I', c.relnamespace::regnamespace, left(c.relname, 52) || to_char(day, '"_"YYYY_MM_DD'))
        FROM pg_class c WHERE c.oid = parent);

COMMENT ON FUNCTION logintel._partition_name(regclass, date) IS 'Name of the partition of a day, with its schema.';

-- Attaching takes no lock that stops writers, save on the default partition, which it reads through. A day whose lines
-- stand in there already stays there. Who can't have the locks at once gives up: maintain() tries again.
CREATE FUNCTION logintel._create_partition(parent regclass, column_name text, day date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS
$function$
DECLARE
    name text := logintel._partition_name(parent, day);
    lower timestamptz := day::timestamp AT TIME ZONE 'UTC';
    upper timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
    owner name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = parent);
    default_partition regclass := (SELECT p.partdefid FROM pg_partitioned_table p WHERE p.partrelid = parent AND p.partdefid <> 0);
    taken boolean := false;
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    ELSIF default_partition IS NOT NULL THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I >= %L AND %2$I < %4$L)', default_partition, column_name, lower, upper)
        INTO taken;
    END IF;
    IF taken THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY)', name, default_partition);
    EXECUTE format('COMMENT ON TABLE %s IS %L', name, format('Partition of %s for %s (UTC).', parent, day));
    EXECUTE format('ALTER TABLE %s OWNER TO %I', name, owner);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', parent, name, lower, upper);
    RETURN true;
EXCEPTION WHEN lock_not_available OR check_violation THEN
    RETURN false;
END
$function$;

COMMENT ON FUNCTION logintel._create_partition(regclass, text, date) IS 'Creates the partition of a day; false where it exists or cannot be made now.';

CREATE FUNCTION logintel.create_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    partition record;
    created integer := 0;
BEGIN
    PERFORM logintel._lock_deployments();
    FOR partition IN SELECT t.parent, t.column_name, d::date AS day
                     FROM logintel._partitioned_tables() t, generate_series(first_day, last_day, interval '1 day') AS d LOOP
        created := created + logintel._create_partition(partition.parent, partition.column_name, partition.day)::integer;
    END LOOP;
    -- New partitions are empty, so that there is nothing in them to reconcile.
    PERFORM logintel._create_triggers(a.log_table) FROM logintel.attachments a WHERE a.manages_partitions;
    UPDATE logintel.attachments a SET reconciled_tables = logintel._log_table_oids()
    WHERE a.manages_partitions AND a.reconciled_tables IS NOT NULL;
    RETURN created;
END
$function$;

COMMENT ON FUNCTION logintel.create_partitions(date, date) IS 'Creates the daily partitions (UTC) of predictions, and of a log table whose partitions logintel manages; returns how many. maintain() does it a week ahead; call it before loading history.';
