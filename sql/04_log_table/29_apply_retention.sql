-- Drops the days that are older than the setting retention_days: the lines, their predictions, and what capabilities
-- that hear of it have of them. The short exclusive lock is asked for with a timeout, so nobody queues behind it; a
-- day that can't be had now is dropped by the next maintain().
CREATE OR REPLACE FUNCTION logintel._day_hours(days bigint, OUT from_hour timestamptz, OUT to_hour timestamptz)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT d.day::timestamp AT TIME ZONE 'UTC', (d.day + 1)::timestamp AT TIME ZONE 'UTC'
    FROM (SELECT date '1970-01-01' + days::integer AS day) AS d;
END;

COMMENT ON FUNCTION logintel._day_hours(bigint) IS 'Where a day begins and ends (UTC), that many days after 1970-01-01: what the event day_dropped tells.';

CREATE OR REPLACE FUNCTION logintel._drop_day(day date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS
$function$
DECLARE
    days bigint := day - date '1970-01-01';
    bounds record := logintel._day_hours(days);
    partitioned record;
BEGIN
    FOR partitioned IN SELECT t.*, logintel._day_partition(t.parent, day) AS name FROM logintel._partitioned_tables() t LOOP
        IF partitioned.name IS NOT NULL THEN
            EXECUTE format('DROP TABLE %s', partitioned.name);
        END IF;
        -- What lies in the default partition goes too: nothing, as a rule.
        EXECUTE format('DELETE FROM %s WHERE %I >= $1 AND %2$I < $2', partitioned.parent, partitioned.column_name)
        USING bounds.from_hour, bounds.to_hour;
    END LOOP;
    PERFORM logintel._announce('day_dropped', days);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$function$;

COMMENT ON FUNCTION logintel._drop_day(date) IS 'Drops the lines and the predictions of a day; false when the locks could not be had.';

-- A name that ends in what is no day, or not that of its bounds, is somebody else's.
CREATE OR REPLACE FUNCTION logintel._expired_days() RETURNS SETOF date
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT DISTINCT d.day
    FROM logintel._partitioned_tables() t
    JOIN pg_inherits i ON i.inhparent = t.parent
    JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL (SELECT regexp_match(c.relname, '_([0-9]{4})_(0[1-9]|1[0-2])_([0-3][0-9])$')::integer[] AS parts) AS n
    CROSS JOIN LATERAL (SELECT make_date(greatest(n.parts[1], 1), n.parts[2], 1) + n.parts[3] - 1 AS day) AS d
    CROSS JOIN LATERAL (SELECT logintel._setting('retention_days')::integer AS days) AS kept
    WHERE kept.days > 0 AND d.day < (now() AT TIME ZONE 'UTC')::date - kept.days
      AND logintel._day_partition(t.parent, d.day) = i.inhrelid
      AND EXISTS (SELECT FROM logintel.attachments a WHERE a.manages_partitions)
    ORDER BY d.day;
$function$;

COMMENT ON FUNCTION logintel._expired_days() IS 'Days that have partitions and are older than the setting retention_days keeps.';

CREATE OR REPLACE FUNCTION logintel._apply_retention() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    retention_days integer := logintel._setting('retention_days')::integer;
    managed logintel.attachments;
    first_kept date := (now() AT TIME ZONE 'UTC')::date - retention_days;
    default_partition regclass;
    day date;
    dropped bigint := 0;
BEGIN
    SELECT a.* INTO managed FROM logintel.attachments a WHERE a.manages_partitions;
    IF retention_days = 0 OR NOT FOUND THEN
        RETURN 0;
    END IF;
    FOR day IN SELECT * FROM logintel._expired_days()
    LOOP
        EXIT WHEN NOT logintel._drop_day(day);  -- what is in the way of one day is in the way of the next
        dropped := dropped + 1;
    END LOOP;
    -- Lines without a partition of their own go row by row, their predictions with them by the trigger.
    SELECT nullif(p.partdefid, 0) INTO default_partition FROM pg_partitioned_table p WHERE p.partrelid = managed.log_table;
    IF default_partition IS NOT NULL THEN
        EXECUTE format('DELETE FROM %1$s WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$s WHERE %2$I < $1 LIMIT 10000 FOR UPDATE SKIP LOCKED))',
                       default_partition, managed.columns ->> 'timestamp')
        USING first_kept::timestamp AT TIME ZONE 'UTC';
    END IF;
    UPDATE logintel.attachments a SET reconciled_tables = logintel._log_table_oids()
    WHERE dropped > 0 AND a.reconciled_tables IS NOT NULL;
    RETURN dropped;
END
$function$;

COMMENT ON FUNCTION logintel._apply_retention() IS 'Drops the days that the setting retention_days no longer keeps; returns how many.';
