-- Daily partitions, in UTC: of predictions always, of the log table where attach() was told to manage them.
CREATE OR REPLACE FUNCTION logintel._partitioned_tables() RETURNS TABLE (parent regclass, column_name text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT a.log_table, a.columns ->> 'timestamp' FROM logintel.attachments a WHERE a.manages_partitions
    UNION ALL
    SELECT 'logintel.predictions'::regclass, 'timestamp';
END;

COMMENT ON FUNCTION logintel._partitioned_tables() IS 'The tables whose daily partitions logintel manages.';

CREATE OR REPLACE FUNCTION logintel._partition_name(parent regclass, day date) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT format('%I.%I', c.relnamespace::regnamespace, left(c.relname, 52) || to_char(day, '"_"YYYY_MM_DD'))
        FROM pg_class c WHERE c.oid = parent);

COMMENT ON FUNCTION logintel._partition_name(regclass, date) IS 'Name of the partition of a day, with its schema.';

-- Attaching takes no lock that stops writers, save on the default partition, which it reads through. Lines of the day that
-- stand in there (a clock that ran ahead) are moved, and those of the log table queued, because their deletion takes the
-- predictions along; where there are more than a few, the day stays in there.
CREATE OR REPLACE FUNCTION logintel._create_partition(parent regclass, column_name text, day date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    name text := logintel._partition_name(parent, day);
    bounds text := format('FROM (%L) TO (%L)', day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
    of_day text := format('%I >= %L AND %1$I < %3$L', column_name, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
    owner name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = parent);
    default_partition regclass := (SELECT p.partdefid FROM pg_partitioned_table p WHERE p.partrelid = parent);
    key text := (SELECT a.columns ->> 'id' FROM logintel.attachments a WHERE a.log_table = parent);
    misplaced integer;
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s WHERE %s LIMIT 10001) AS l', default_partition, of_day) INTO misplaced;
    IF misplaced > 10000 THEN
        RAISE check_violation;
    END IF;
    EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY)', name, default_partition);
    EXECUTE format('COMMENT ON TABLE %s IS %L', name, format('Partition of %s for %s (UTC).', parent, day));
    EXECUTE format('ALTER TABLE %s OWNER TO %I', name, owner);
    IF misplaced > 0 THEN
        EXECUTE format('WITH moved AS (DELETE FROM %s WHERE %s RETURNING *), kept AS (INSERT INTO %s SELECT * FROM moved) '
                       'INSERT INTO logintel.pending (log_entry_id) SELECT %s FROM moved WHERE %L',
                       default_partition, of_day, name, coalesce(quote_ident(key), '0'), key IS NOT NULL);
    END IF;
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES %s', parent, name, bounds);
    RETURN true;
END
$function$;

COMMENT ON FUNCTION logintel._create_partition(regclass, text, date) IS 'Creates the partition of a day; false where it exists.';

-- Both tables get the day or neither does: retention drops it from both.
CREATE OR REPLACE FUNCTION logintel._create_day(day date) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS
$function$
BEGIN
    RETURN (SELECT sum(logintel._create_partition(t.parent, t.column_name, day)::integer) FROM logintel._partitioned_tables() t);
EXCEPTION WHEN lock_not_available OR check_violation THEN
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._create_day(date) IS 'Creates the partitions of a day; returns how many, null where they cannot be made now.';

CREATE OR REPLACE FUNCTION logintel.create_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    created integer := 0;
    created_today integer;
BEGIN
    PERFORM logintel._lock('partitions');
    FOR n IN 0 .. last_day - first_day LOOP
        created_today := logintel._create_day(first_day + n);
        EXIT WHEN created_today IS NULL;  -- what is in the way of one day is in the way of the next
        created := created + created_today;
    END LOOP;
    -- New partitions hold no line that nobody knows of, so there is nothing in them to reconcile.
    PERFORM logintel._create_triggers(a.log_table) FROM logintel.attachments a WHERE a.manages_partitions;
    UPDATE logintel.attachments a SET reconciled_tables = logintel._log_table_oids()
    WHERE a.manages_partitions AND a.reconciled_tables IS NOT NULL;
    RETURN created;
END
$function$;

COMMENT ON FUNCTION logintel.create_partitions(date, date) IS 'Creates the daily partitions (UTC) of predictions, and of a log table whose partitions logintel manages; returns how many. maintain() does it a week ahead; call it before loading history.';
