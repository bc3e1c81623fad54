-- Daily partitions, in UTC: of predictions always, of the log table where attach() was told to manage them.
--
-- Where a time becomes text that is read again, as bounds of partitions do, DateStyle and TimeZone are pinned: other
-- styles print abbreviations of zones, which are read as other zones than they were printed for.
CREATE OR REPLACE FUNCTION logintel._partitioned_tables() RETURNS TABLE (parent regclass, column_name text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT a.log_table, a.columns ->> 'timestamp' FROM logintel.attachments a WHERE a.manages_partitions
    UNION ALL
    SELECT 'logintel.predictions'::regclass, 'timestamp';
END;

COMMENT ON FUNCTION logintel._partitioned_tables() IS 'The tables whose daily partitions logintel manages.';

-- PostgreSQL cuts names after 63 bytes, 11 of which are the day's: the table's name is cut before, between characters.
CREATE OR REPLACE FUNCTION logintel._partition_name(parent regclass, day date) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT format('%I.%I', s.nspname, left(c.relname::text, (
                   SELECT max(n) FROM generate_series(1, 52) AS n WHERE octet_length(left(c.relname::text, n)) <= 52
               )) || to_char(day, '"_"YYYY_MM_DD'))
        FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE c.oid = parent);

COMMENT ON FUNCTION logintel._partition_name(regclass, date) IS 'Name of the partition of a day, with its schema.';

CREATE OR REPLACE FUNCTION logintel._day_bounds(day date) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC'
RETURN format('FOR VALUES FROM (%L) TO (%L)', day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');

COMMENT ON FUNCTION logintel._day_bounds(date) IS 'Bounds of the partition of a day.';

-- A table is the partition of a day by its place and its bounds, whatever else has its name.
CREATE OR REPLACE FUNCTION logintel._day_partition(parent regclass, day date) RETURNS regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC'
RETURN (SELECT c.oid FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = parent
        WHERE c.oid = to_regclass(logintel._partition_name(parent, day))
          AND pg_get_expr(c.relpartbound, c.oid) = logintel._day_bounds(day));

COMMENT ON FUNCTION logintel._day_partition(regclass, date) IS 'The partition of a day; null where there is none.';

-- Attaching takes no lock that stops writers, save on the default partition, which it reads through. Lines of the day that
-- stand in there (a clock that ran ahead) are moved, and those of the log table queued, because their deletion takes the
-- predictions along; where there are more than a few, the day stays in there.
CREATE OR REPLACE FUNCTION logintel._create_partition(parent regclass, column_name text, day date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC' AS
$function$
DECLARE
    name text := logintel._partition_name(parent, day);
    of_day text := format('%I >= %L AND %1$I < %3$L', column_name, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
    owner name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = parent);
    default_partition regclass := (SELECT nullif(p.partdefid, 0) FROM pg_partitioned_table p WHERE p.partrelid = parent);
    key text := (SELECT a.columns ->> 'id' FROM logintel.attachments a WHERE a.log_table = parent);
    misplaced integer := 0;
    moved bigint[];
BEGIN
    IF logintel._day_partition(parent, day) IS NOT NULL THEN
        RETURN false;
    END IF;
    IF default_partition IS NOT NULL THEN
        EXECUTE format('SELECT count(*) FROM (SELECT FROM %s WHERE %s LIMIT 10001) AS l', default_partition, of_day) INTO misplaced;
    END IF;
    IF misplaced > 10000 THEN
        RAISE check_violation;
    END IF;
    EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY)', name, coalesce(default_partition, parent));
    EXECUTE format('COMMENT ON TABLE %s IS %L', name, format('Partition of %s for %s (UTC).', parent, day));
    EXECUTE format('ALTER TABLE %s OWNER TO %I', name, owner);
    IF misplaced > 0 THEN
        EXECUTE format('WITH moved AS (DELETE FROM %s WHERE %s RETURNING *), kept AS (INSERT INTO %s SELECT * FROM moved) '
                       'SELECT array_agg(%s::bigint) FROM moved', default_partition, of_day, name, coalesce(quote_ident(key), 'NULL'))
        INTO moved;
        -- After the deletion, whose trigger takes the predictions along of lines that do not wait.
        INSERT INTO logintel.pending (log_entry_id) SELECT k FROM unnest(moved) AS k WHERE k IS NOT NULL;
    END IF;
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s %s', parent, name, logintel._day_bounds(day));
    RETURN true;
END
$function$;

COMMENT ON FUNCTION logintel._create_partition(regclass, text, date) IS 'Creates the partition of a day; false where it exists.';

-- Both tables get the day or neither does: retention drops it from both. Something else that has the name of a partition
-- is in the way of its own day only.
CREATE OR REPLACE FUNCTION logintel._create_day(day date) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS
$function$
BEGIN
    RETURN (SELECT sum(logintel._create_partition(t.parent, t.column_name, day)::integer) FROM logintel._partitioned_tables() t);
EXCEPTION
    WHEN lock_not_available OR check_violation THEN
        RETURN NULL;
    WHEN duplicate_table OR duplicate_object THEN
        RAISE WARNING 'no partition is made for %: %', to_char(day, 'YYYY-MM-DD'), SQLERRM
            USING HINT = 'Rename or drop what has its name.';
        RETURN 0;
END
$function$;

COMMENT ON FUNCTION logintel._create_day(date) IS 'Creates the partitions of a day; returns how many, null where they cannot be made now.';

CREATE OR REPLACE FUNCTION logintel._taken_names(first_day date, last_day date) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT p.name
    FROM logintel._partitioned_tables() t
    CROSS JOIN generate_series(0, last_day - first_day) AS n
    CROSS JOIN LATERAL (SELECT logintel._partition_name(t.parent, first_day + n) AS name) AS p
    WHERE to_regclass(p.name) IS NOT NULL AND logintel._day_partition(t.parent, first_day + n) IS NULL
    ORDER BY n, p.name;
END;

COMMENT ON FUNCTION logintel._taken_names(date, date) IS 'Names of partitions of these days that something else has.';

CREATE OR REPLACE FUNCTION logintel.create_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    created integer := 0;
    created_today integer;
BEGIN
    IF (first_day >= '0001-01-01' AND last_day <= '9999-12-31') IS NOT TRUE THEN
        RAISE EXCEPTION 'there are no partitions from % to %', coalesce(first_day::text, 'null'), coalesce(last_day::text, 'null')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give the first and the last day, such as create_partitions(current_date - 30, current_date).';
    END IF;
    PERFORM logintel._lock('partitions');
    FOR n IN 0 .. last_day - first_day LOOP
        created_today := logintel._create_day(first_day + n);
        EXIT WHEN created_today IS NULL;  -- what is in the way of one day is in the way of the next
        created := created + created_today;
    END LOOP;
    -- A table that is locked gets its triggers from the upkeep. New partitions hold no line that nobody knows of, so there
    -- is nothing in them to reconcile.
    PERFORM logintel._try_create_triggers(a.log_table) FROM logintel.attachments a WHERE a.manages_partitions;
    UPDATE logintel.attachments a SET reconciled_tables = logintel._log_table_oids()
    WHERE a.manages_partitions AND a.reconciled_tables IS NOT NULL;
    RETURN created;
END
$function$;

COMMENT ON FUNCTION logintel.create_partitions(date, date) IS 'Creates the daily partitions (UTC) of predictions, and of a log table whose partitions logintel manages; returns how many. maintain() does it a week ahead; call it before loading history.';
