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
    FOR partitioned IN SELECT * FROM logintel._partitioned_tables() LOOP
        EXECUTE format('DROP TABLE IF EXISTS %s', logintel._partition_name(partitioned.parent, day));
        -- What lies in the default partition goes too: nothing, as a rule.
        EXECUTE format('DELETE FROM %s WHERE %I >= %L AND %2$I < %4$L',
                       partitioned.parent, partitioned.column_name, bounds.from_hour, bounds.to_hour);
    END LOOP;
    PERFORM logintel._announce('day_dropped', days);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$function$;

COMMENT ON FUNCTION logintel._drop_day(date) IS 'Drops the lines and the predictions of a day; false when the locks could not be had.';

CREATE OR REPLACE FUNCTION logintel._expired_days() RETURNS SETOF date
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT DISTINCT d.day
    FROM logintel._partitioned_tables() t
    JOIN pg_inherits i ON i.inhparent = t.parent
    JOIN pg_class c ON c.oid = i.inhrelid AND c.relname ~ '_[0-9]{4}_[0-9]{2}_[0-9]{2}$'
    CROSS JOIN LATERAL (SELECT to_date(right(c.relname, 10), 'YYYY_MM_DD') AS day) AS d
    CROSS JOIN LATERAL (SELECT logintel._setting('retention_days')::integer AS days) AS kept
    WHERE kept.days > 0 AND d.day < (now() AT TIME ZONE 'UTC')::date - kept.days
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
    SELECT p.partdefid INTO default_partition FROM pg_partitioned_table p WHERE p.partrelid = managed.log_table;
    EXECUTE format('DELETE FROM %1$s WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$s WHERE %2$I < %3$L LIMIT 10000 FOR UPDATE SKIP LOCKED))',
                   default_partition, managed.columns ->> 'timestamp', first_kept::timestamp AT TIME ZONE 'UTC');
    UPDATE logintel.attachments a SET reconciled_tables = logintel._log_table_oids()
    WHERE dropped > 0 AND a.reconciled_tables IS NOT NULL;
    RETURN dropped;
END
$function$;

COMMENT ON FUNCTION logintel._apply_retention() IS 'Drops the days that the setting retention_days no longer keeps; returns how many.';
