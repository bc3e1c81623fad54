-- Daily partitions, in UTC: of predictions always, of the log table where attach() was told to manage them.
--
-- A partition is known by its bounds, whatever it is called: tables are renamed, and a month may be named by its first day.
-- Where a time becomes text that is read again, as bounds of partitions do, DateStyle and TimeZone are pinned: other styles
-- print abbreviations of zones, which are read as other zones than they were printed for.
CREATE OR REPLACE FUNCTION logintel._partitions_by_time(parent regclass) RETURNS TABLE (
    tbl regclass, from_time timestamptz, to_time timestamptz, day date
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC' AS
$function$
BEGIN
    RETURN QUERY
    SELECT b.tbl, b.from_time, b.to_time,
           CASE WHEN isfinite(b.from_time) AND b.from_time = date_trunc('day', b.from_time)
                     AND b.to_time = b.from_time + interval '1 day' THEN b.from_time::date END
    FROM (SELECT i.inhrelid::regclass AS tbl,
                 CASE m.parts[1] WHEN 'MINVALUE' THEN '-infinity' ELSE translate(m.parts[1], '''', '')::timestamptz END AS from_time,
                 CASE m.parts[2] WHEN 'MAXVALUE' THEN 'infinity' ELSE translate(m.parts[2], '''', '')::timestamptz END AS to_time
          FROM pg_inherits i
          JOIN pg_class c ON c.oid = i.inhrelid
          CROSS JOIN LATERAL (SELECT regexp_match(pg_get_expr(c.relpartbound, c.oid),
                                                  '^FOR VALUES FROM [(](.*)[)] TO [(](.*)[)]$') AS parts) AS m
          WHERE i.inhparent = parent AND NOT i.inhdetachpending AND m.parts IS NOT NULL) AS b;
END
$function$;

COMMENT ON FUNCTION logintel._partitions_by_time(regclass) IS 'Partitions of a table by ranges of time: from, to, and the day (UTC) where a partition is exactly one.';

CREATE OR REPLACE FUNCTION logintel._default_partition(parent regclass) RETURNS regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT nullif(p.partdefid, 0) FROM pg_partitioned_table p WHERE p.partrelid = parent);

COMMENT ON FUNCTION logintel._default_partition(regclass) IS 'The default partition of a table; null where there is none.';

-- PostgreSQL cuts names after 63 bytes, 11 of which are the day's: the table's name is cut before, between characters. Where
-- another table has the name, as a day that was detached keeps its own, a number follows.
CREATE OR REPLACE FUNCTION logintel._partition_name(parent regclass, day date) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT format('%I.%I', s.nspname, t.name)
        FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
        CROSS JOIN generate_series(1, 99) AS number
        CROSS JOIN LATERAL (SELECT CASE WHEN number > 1 THEN '_' || number ELSE '' END AS suffix) AS x
        CROSS JOIN LATERAL (SELECT left(c.relname::text, (
            SELECT max(n) FROM generate_series(1, 52) AS n
            WHERE octet_length(left(c.relname::text, n) || x.suffix) <= 52)) || to_char(day, '"_"YYYY_MM_DD') || x.suffix AS name) AS t
        WHERE c.oid = parent
          AND NOT EXISTS (SELECT FROM pg_class o WHERE o.relnamespace = c.relnamespace AND o.relname = t.name::name)
        ORDER BY number LIMIT 1);

COMMENT ON FUNCTION logintel._partition_name(regclass, date) IS 'Name for a new partition of a day, with its schema, that no table has.';

CREATE OR REPLACE FUNCTION logintel._day_hours(days bigint, OUT from_hour timestamptz, OUT to_hour timestamptz)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT d.day::timestamp AT TIME ZONE 'UTC', (d.day + 1)::timestamp AT TIME ZONE 'UTC'
    FROM (SELECT date '1970-01-01' + days::integer AS day) AS d;
END;

COMMENT ON FUNCTION logintel._day_hours(bigint) IS 'Where a day begins and ends (UTC), that many days after 1970-01-01: what the event day_dropped tells.';

CREATE OR REPLACE FUNCTION logintel._day_bounds(day date) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC'
RETURN (SELECT format('FOR VALUES FROM (%L) TO (%L)', h.from_hour, h.to_hour) FROM logintel._day_hours(day - date '1970-01-01') h);

COMMENT ON FUNCTION logintel._day_bounds(date) IS 'Bounds of the partition of a day.';

-- What keeps partitions runs with the rights of the table's owner (21_functions_of_others.sql). He can change how these
-- functions run. Then they run nothing, and this says what helps.
CREATE OR REPLACE FUNCTION logintel._functions_of_table_owner(attached logintel_internal.attachments) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    versions text;
    number bigint;
BEGIN
    SELECT string_agg(p.xmin::text, ' ' ORDER BY p.proname), count(*) INTO versions, number
    FROM logintel._installer_functions_of_others() f JOIN pg_proc p ON p.proname = concat(f.name, '_', attached.id)
    WHERE f.belongs_to = 'owner' AND p.pronamespace = 'logintel'::regnamespace AND p.prosecdef
      AND translate(p.proconfig[1], '"', '') = 'search_path=pg_catalog, pg_temp' AND cardinality(p.proconfig) = 4
      AND p.proowner = (SELECT c.relowner FROM pg_class c WHERE c.oid = attached.log_table);
    IF number <> (SELECT count(*) FROM logintel._installer_functions_of_others() f WHERE f.belongs_to = 'owner') THEN
        RAISE EXCEPTION 'the partitions of % are kept with the rights of another role than its owner', attached.log_table
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Its new owner, or a superuser: SELECT logintel.adopt_partitions().';
    END IF;
    RETURN versions;
END
$function$;

COMMENT ON FUNCTION logintel._functions_of_table_owner(logintel_internal.attachments) IS 'Raises an error unless the functions that keep partitions run with the rights of the owner of the log table; returns what changes when they do.';

-- What is done between the two is done by the functions as they were made, and no code of the table's owner runs.
CREATE OR REPLACE FUNCTION logintel._begin_as_table_owner(
    attached logintel_internal.attachments, tables regclass[], is_written boolean
) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    versions text := logintel._functions_of_table_owner(attached);
BEGIN
    EXECUTE format('SELECT logintel._table_owner_lock_%s($1, $2)', attached.id)
    USING array_remove(tables, NULL), is_written;
    RETURN versions;
END
$function$;

COMMENT ON FUNCTION logintel._begin_as_table_owner(logintel_internal.attachments, regclass[], boolean) IS 'Comes before functions that run with the rights of the owner of the log table; raises an error where code of an ordinary role would run, too.';

CREATE OR REPLACE FUNCTION logintel._end_as_table_owner(attached logintel_internal.attachments,
    versions text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF logintel._functions_of_table_owner(attached) <> versions THEN
        RAISE EXCEPTION 'the functions that keep the partitions of % were changed meanwhile', attached.log_table
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run logintel.maintain() again.';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._end_as_table_owner(logintel_internal.attachments, text) IS 'Comes after them; raises an error, which undoes what they did, where they were changed since _begin_as_table_owner().';

CREATE OR REPLACE FUNCTION logintel.adopt_partitions() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._installer_take_on(a)
    FROM logintel_internal.attachments a JOIN pg_class c ON c.oid = a.log_table
    WHERE pg_has_role(session_user, c.relowner, 'USAGE') OR logintel._is_only_attachment(a.id);
END
$function$;

COMMENT ON FUNCTION logintel.adopt_partitions() IS 'After a log table got another owner: lets logintel read it and keep its partitions with that role''s rights. For the owner of the table.';

CREATE OR REPLACE FUNCTION logintel._create_log_day(attached logintel_internal.attachments, day date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    log_table CONSTANT regclass := attached.log_table;
    name text := logintel._partition_name(log_table, day);
    versions text := logintel._begin_as_table_owner(
        attached, ARRAY[log_table, logintel._default_partition(log_table)], false);
    is_made boolean;
BEGIN
    EXECUTE format('SELECT logintel._table_owner_create_day_%s($1, $2, $3, $4)', attached.id) INTO is_made
    USING log_table, attached.columns ->> 'timestamp', day, name;
    PERFORM logintel._end_as_table_owner(attached, versions);
    IF is_made THEN
        INSERT INTO logintel_internal.made_partitions (partition, day) VALUES (name::regclass, day);
    END IF;
    RETURN is_made;
END
$function$;

COMMENT ON FUNCTION logintel._create_log_day(logintel_internal.attachments, date) IS 'Creates the partition of a day of the log table; false where lines of that day are in the default partition.';

-- Attaching takes no lock that stops writers, save on the default partition, which it reads through. Predictions of the day
-- that stand in there are moved; where there are more than a few, the day stays in there.
CREATE OR REPLACE FUNCTION logintel._create_prediction_day(day date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    name text := logintel._partition_name('logintel_internal.predictions', day);
    hours record := logintel._day_hours(day - date '1970-01-01');
BEGIN
    IF (SELECT count(*) FROM (SELECT FROM logintel_internal.predictions_default p
                              WHERE p."timestamp" >= hours.from_hour AND p."timestamp" < hours.to_hour LIMIT 10001) AS l) > 10000 THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %s (LIKE logintel_internal.predictions_default INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', name);
    EXECUTE format('COMMENT ON TABLE %s IS %L', name, format('Predictions of lines of %s (UTC).', to_char(day, 'YYYY-MM-DD')));
    EXECUTE format('WITH moved AS (DELETE FROM logintel_internal.predictions_default p WHERE p."timestamp" >= $1 AND p."timestamp" < $2 RETURNING *) '
                   'INSERT INTO %s SELECT * FROM moved', name) USING hours.from_hour, hours.to_hour;
    EXECUTE format('ALTER TABLE logintel_internal.predictions ATTACH PARTITION %s %s', name, logintel._day_bounds(day));
    RETURN true;
END
$function$;

COMMENT ON FUNCTION logintel._create_prediction_day(date) IS 'Creates the partition of a day of predictions; false where too many of that day are in the default partition.';

CREATE OR REPLACE FUNCTION logintel._lacking_days(first_day date, last_day date)
RETURNS TABLE (parent regclass, day date)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS (
        SELECT a.log_table AS parent FROM logintel_internal.attachments a WHERE a.manages_partitions
        UNION ALL
        SELECT 'logintel_internal.predictions'::regclass),
    covered AS MATERIALIZED (
        SELECT t.parent, p.from_time, p.to_time FROM tables t CROSS JOIN LATERAL logintel._partitions_by_time(t.parent) p)
    SELECT t.parent, first_day + n
    FROM tables t CROSS JOIN generate_series(0, last_day - first_day) AS n
    CROSS JOIN LATERAL logintel._day_hours(first_day + n - date '1970-01-01') AS h
    WHERE NOT EXISTS (SELECT FROM covered c
                      WHERE c.parent = t.parent AND c.from_time < h.to_hour AND c.to_time > h.from_hour);
END;

COMMENT ON FUNCTION logintel._lacking_days(date, date) IS 'Days of tables whose partitions logintel manages that no partition holds, whoever made it.';

-- One day of one table: what is in its way is in the way of nothing else.
CREATE OR REPLACE FUNCTION logintel._try_create_day(
    parent regclass, day date, most_bytes bigint, OUT created integer, OUT reason text
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
DECLARE
    bytes bigint := pg_relation_size(logintel._default_partition(parent));
BEGIN
    created := 0;
    IF bytes > most_bytes THEN
        reason := format('the default partition of %s has %s, which a new one makes writers wait for', parent, pg_size_pretty(bytes));
        RETURN;
    END IF;
    IF parent = 'logintel_internal.predictions'::regclass THEN
        created := logintel._create_prediction_day(day)::integer;
    ELSE
        created := logintel._create_log_day(logintel._attachment(parent), day)::integer;
    END IF;
EXCEPTION
    WHEN lock_not_available THEN
        reason := format('%s is locked', parent);
    WHEN OTHERS THEN
        reason := SQLERRM;
END
$function$;

COMMENT ON FUNCTION logintel._try_create_day(regclass, date, bigint) IS 'Creates the partition of a day of a table, unless the default partition, which has to be read for it, is larger than that (null for any); returns 1 or 0, and what is in the way.';

CREATE OR REPLACE FUNCTION logintel._create_days(first_day date, last_day date, most_bytes bigint, OUT created integer, OUT reasons text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS
$function$
BEGIN
    PERFORM logintel._lock('partitions');
    DELETE FROM logintel_internal.made_partitions m WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = m.partition);
    SELECT coalesce(sum(d.created), 0), string_agg(DISTINCT d.reason, '; ') INTO created, reasons
    FROM logintel._lacking_days(first_day, last_day) AS l
    CROSS JOIN LATERAL logintel._try_create_day(l.parent, l.day, most_bytes) AS d;
    -- A table that is locked gets its triggers from the upkeep. New partitions hold no line that nobody knows of, so there
    -- is nothing in them to reconcile.
    PERFORM logintel._try_create_triggers(a.log_table) FROM logintel_internal.attachments a WHERE a.manages_partitions AND created > 0;
    UPDATE logintel_internal.attachments a SET reconciled_tables = logintel._log_table_oids(a.log_table)
    WHERE created > 0 AND a.manages_partitions AND a.reconciled_tables IS NOT NULL;
EXCEPTION WHEN lock_not_available THEN  -- bounds of a locked partition cannot be read either
    created := 0;
    reasons := 'a partition is locked';
END
$function$;

COMMENT ON FUNCTION logintel._create_days(date, date, bigint) IS 'Creates the daily partitions that are not there, where default partitions have at most so many bytes; returns how many, and what is in the way of others.';

-- A new partition, its indexes, what holds its long values and some things that belong to it are locked until the end of the
-- transaction, and all sessions have their locks in one table: when that is full, whoever needs a lock next fails, writers
-- too. It has more room than connections alone are given: that is left to others.
CREATE OR REPLACE FUNCTION logintel._most_days() RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT current_setting('max_locks_per_transaction')::bigint
               * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint)
               / sum(6 + (SELECT count(*) FROM pg_index i
                          WHERE i.indrelid = coalesce(logintel._default_partition(t.parent), t.parent)))
        FROM (SELECT a.log_table AS parent FROM logintel_internal.attachments a WHERE a.manages_partitions
              UNION ALL SELECT 'logintel_internal.predictions'::regclass) AS t);

COMMENT ON FUNCTION logintel._most_days() IS 'How many days one transaction can create the partitions of without taking the locks that others need.';

CREATE OR REPLACE FUNCTION logintel.create_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    most_days CONSTANT integer := logintel._most_days();
    made record;
BEGIN
    IF (first_day >= '0001-01-01' AND last_day <= '9999-12-31') IS NOT TRUE THEN
        RAISE EXCEPTION 'there are no partitions from % to %', coalesce(first_day::text, 'null'), coalesce(last_day::text, 'null')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give the first and the last day, such as create_partitions(current_date - 30, current_date).';
    END IF;
    IF (SELECT count(DISTINCT l.day) FROM logintel._lacking_days(first_day, least(last_day, first_day + 100 * most_days)) l)
       > most_days THEN
        RAISE EXCEPTION 'one transaction has locks for the partitions of % days, and more are lacking from % to %',
                        most_days, first_day, last_day
            USING ERRCODE = 'program_limit_exceeded',
                  HINT = format('Create them piece by piece, beginning with SELECT logintel.create_partitions(%L, %L).',
                                first_day, first_day + most_days - 1);
    END IF;
    made := logintel._create_days(first_day, last_day, NULL);
    IF made.reasons IS NOT NULL THEN
        RAISE WARNING 'some partitions are not made: %', made.reasons
            USING HINT = 'Mend what it names; lines of these days lie in the default partition.';
    END IF;
    RETURN made.created;
END
$function$;

COMMENT ON FUNCTION logintel.create_partitions(date, date) IS 'Creates the daily partitions (UTC) of predictions, and of a log table whose partitions logintel manages; returns how many. maintain() does it a week ahead; call it before loading history.';
