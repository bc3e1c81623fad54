-- Drops the days that are older than the setting retention_days: the lines, their predictions, and what capabilities
-- that hear of it have of them. Only partitions that logintel made are dropped; a day that has lines elsewhere stays.
-- The short exclusive locks come last and are asked for with a timeout, so nobody waits long behind them; a day that
-- can't be had now is dropped by the next maintain().
CREATE OR REPLACE FUNCTION logintel._first_kept() RETURNS date
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT CASE WHEN kept.days > 0 THEN (now() AT TIME ZONE 'UTC')::date - kept.days END
        FROM (SELECT logintel._setting('retention_days')::integer AS days) AS kept
        WHERE EXISTS (SELECT FROM logintel_internal.attachments a WHERE a.manages_partitions));

COMMENT ON FUNCTION logintel._first_kept() IS 'The first day that the setting retention_days keeps; null where all are kept.';

CREATE OR REPLACE FUNCTION logintel._expired_days() RETURNS TABLE (day date, lines regclass, predictions regclass)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH made AS (
        SELECT p.day, p.tbl FROM logintel_internal.attachments a
        CROSS JOIN LATERAL logintel._partitions_by_time(a.log_table) p
        JOIN logintel_internal.made_partitions m ON m.partition = p.tbl::oid AND m.day = p.day
        WHERE a.manages_partitions),
    predicted AS (
        SELECT p.day, p.tbl FROM logintel._partitions_by_time('logintel_internal.predictions') p)
    SELECT coalesce(m.day, p.day), m.tbl, p.tbl FROM made m FULL JOIN predicted p ON p.day = m.day
    WHERE coalesce(m.day, p.day) < logintel._first_kept();
END;

COMMENT ON FUNCTION logintel._expired_days() IS 'Days older than the setting retention_days keeps: the partition of the log table that logintel made, and that of predictions.';

CREATE OR REPLACE FUNCTION logintel._has_lines_elsewhere(day date, lines regclass) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT lines IS NULL AND logintel._fetched_any(h.from_hour, h.to_hour)  -- bounds of partitions do not overlap
    FROM logintel._day_hours(day - date '1970-01-01') AS h;
$function$;

COMMENT ON FUNCTION logintel._has_lines_elsewhere(date, regclass) IS 'Whether lines of a day are in another partition than that of the day.';

-- A line without a time has its prediction in the day in which that was made, and outlives that day: it then waits for
-- a new one.
CREATE OR REPLACE FUNCTION logintel._queue_timeless_lines(from_hour timestamptz, to_hour timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    EXECUTE $sql$  -- planned for these times: see _remove_predictions()
        INSERT INTO logintel_internal.pending (log_entry_id)
        SELECT DISTINCT l.id
        FROM logintel._fetched_timeless() l JOIN logintel_internal.predictions p ON p.log_entry_id = l.id
        WHERE p."timestamp" >= $1 AND p."timestamp" < $2 AND p."timestamp" = p.predicted_at
        $sql$ USING from_hour, to_hour;
END
$function$;

COMMENT ON FUNCTION logintel._queue_timeless_lines(timestamptz, timestamptz) IS 'Queues the lines without a time whose prediction was made between these times.';

CREATE OR REPLACE FUNCTION logintel._drop_day(
    day date, lines regclass, predictions regclass, OUT dropped boolean, OUT reason text
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
DECLARE
    days bigint := day - date '1970-01-01';
    hours record := logintel._day_hours(days);
    log_table regclass := (SELECT a.log_table FROM logintel_internal.attachments a);
    versions text;
BEGIN
    PERFORM logintel._queue_timeless_lines(hours.from_hour, hours.to_hour);
    PERFORM logintel._announce('day_dropped', days);
    DELETE FROM logintel_internal.predictions_default p
        WHERE p."timestamp" >= hours.from_hour AND p."timestamp" < hours.to_hour;
    DELETE FROM logintel_internal.pending q WHERE q."timestamp" >= hours.from_hour AND q."timestamp" < hours.to_hour;
    DELETE FROM logintel_internal.made_partitions m WHERE m.partition = lines::oid;
    IF lines IS NOT NULL THEN  -- first, as writers lock the log table first
        -- Detaching a day reads the tables that refer to it.
        versions := logintel._begin_as_table_owner(log_table, ARRAY[log_table, lines] || ARRAY(
            SELECT k.conrelid::regclass FROM pg_constraint k
            JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class l ON l.oid = log_table
            WHERE k.contype = 'f' AND k.confrelid = lines AND pg_has_role(l.relowner, c.relowner, 'USAGE')), false);
        PERFORM logintel._table_owner_drop_day(log_table, lines);
        PERFORM logintel._end_as_table_owner(log_table, versions);
    END IF;
    IF predictions IS NOT NULL THEN
        EXECUTE format('DROP TABLE %s', predictions);
    END IF;
    dropped := true;
EXCEPTION
    WHEN lock_not_available THEN
        dropped := false;
    WHEN OTHERS THEN
        dropped := false;
        reason := SQLERRM;
END
$function$;

COMMENT ON FUNCTION logintel._drop_day(date, regclass, regclass) IS 'Drops the lines and the predictions of a day; or returns what is in the way, if more than an open transaction.';

-- Lines without a partition of their own go row by row, their predictions with them by the trigger.
CREATE OR REPLACE FUNCTION logintel._delete_expired_lines(OUT deleted bigint, OUT reason text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
DECLARE
    attached logintel_internal.attachments := (SELECT a FROM logintel_internal.attachments a);
    default_partition regclass := logintel._default_partition(attached.log_table);
    first_kept timestamptz := logintel._first_kept()::timestamp AT TIME ZONE 'UTC';
    versions text;
BEGIN
    deleted := 0;
    IF default_partition IS NULL OR first_kept IS NULL THEN
        RETURN;
    END IF;
    IF NOT logintel._fetched_any('-infinity', first_kept) THEN
        RETURN;
    END IF;
    versions := logintel._begin_as_table_owner(attached.log_table, ARRAY[default_partition], true);
    deleted := logintel._table_owner_delete_lines(default_partition, attached.columns ->> 'timestamp', first_kept);
    PERFORM logintel._end_as_table_owner(attached.log_table, versions);
EXCEPTION
    WHEN lock_not_available THEN
        deleted := 0;
    WHEN OTHERS THEN  -- a trigger or a foreign key of the log table: in the way of its lines, and of no day
        deleted := 0;
        reason := format('lines of %s: %s', default_partition, SQLERRM);
END
$function$;

COMMENT ON FUNCTION logintel._delete_expired_lines() IS 'Deletes some expired lines of the default partition; returns how many, and what is in the way.';

CREATE OR REPLACE FUNCTION logintel._drop_next_day(OUT dropped bigint, OUT reasons text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
DECLARE
    expired record;
    tried record;
BEGIN
    dropped := 0;
    FOR expired IN SELECT e.* FROM logintel._expired_days() e ORDER BY e.day LOOP
        CONTINUE WHEN logintel._has_lines_elsewhere(expired.day, expired.lines);
        tried := logintel._drop_day(expired.day, expired.lines, expired.predictions);
        IF tried.dropped THEN
            dropped := 1;
            UPDATE logintel_internal.attachments a SET reconciled_tables = logintel._log_table_oids()
            WHERE a.reconciled_tables IS NOT NULL;
            RETURN;
        END IF;
        EXIT WHEN tried.reason IS NULL;  -- the lock that was not to be had is that of all days
        reasons := concat_ws('; ', reasons, format('%s: %s', to_char(expired.day, 'YYYY-MM-DD'), tried.reason));
    END LOOP;
EXCEPTION WHEN lock_not_available THEN
    dropped := 0;
END
$function$;

COMMENT ON FUNCTION logintel._drop_next_day() IS 'Drops the oldest expired day that nothing is in the way of; returns 1, or 0 and what is in the way of all.';

CREATE OR REPLACE FUNCTION logintel._check_054_retention() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN count(*) > 0 THEN 'note' ELSE 'ok' END,
           format('%s days older than retention_days are still there', count(*)),
           CASE WHEN count(*) > 0 THEN
               'maintain() drops them, as soon as no transaction that read or wrote the log table stays open' END
    FROM logintel._expired_days();
END;

COMMENT ON FUNCTION logintel._check_054_retention() IS 'Check of doctor(): days that retention has to drop.';

CREATE OR REPLACE FUNCTION logintel._check_055_partitions() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'note', format('the default partition of %s has %s: days that are to come get no partition by themselves',
                          t.parent, pg_size_pretty(pg_relation_size(logintel._default_partition(t.parent)))),
           'at a quiet time, SELECT logintel.create_partitions(current_date, current_date + 365)'
    FROM (SELECT a.log_table AS parent FROM logintel_internal.attachments a WHERE a.manages_partitions
          UNION ALL SELECT 'logintel_internal.predictions'::regclass) AS t
    WHERE pg_relation_size(logintel._default_partition(t.parent)) > 16777216
    UNION ALL
    SELECT 'problem', format('partitions of %s are kept with the rights of %s, but it belongs to %s', a.log_table,
                             string_agg(DISTINCT p.proowner::regrole::text, ', '), c.relowner::regrole),
           format('as %s, or a superuser: SELECT logintel.adopt_partitions()', c.relowner::regrole)
    FROM logintel_internal.attachments a JOIN pg_class c ON c.oid = a.log_table
    JOIN pg_proc p ON p.pronamespace = 'logintel'::regnamespace AND p.proname LIKE E'\\_table\\_owner\\_%'
                      AND p.proowner <> c.relowner
    WHERE a.manages_partitions GROUP BY a.log_table, c.relowner;
END;

COMMENT ON FUNCTION logintel._check_055_partitions() IS 'Check of doctor(): what keeps daily partitions from being made.';
