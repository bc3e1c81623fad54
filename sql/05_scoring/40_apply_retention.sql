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

-- Days of predictions are those of all tables. Where there are several, the day of one takes its own predictions along;
-- the partition goes when it is empty, and until then is looked at no further than its first row.
CREATE OR REPLACE FUNCTION logintel._is_empty(tbl regclass) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    is_empty boolean;
BEGIN
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', tbl) INTO is_empty;
    RETURN is_empty;
END
$function$;

COMMENT ON FUNCTION logintel._is_empty(regclass) IS 'Whether a partition of predictions has no row.';

CREATE OR REPLACE FUNCTION logintel._expired_days() RETURNS TABLE (
    attachment_id integer, day date, lines regclass, predictions regclass
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH made AS (
        SELECT a.id, p.day, p.tbl FROM logintel_internal.attachments a
        CROSS JOIN LATERAL logintel._partitions_by_time(a.log_table) p
        JOIN logintel_internal.made_partitions m ON m.partition = p.tbl::oid AND m.day = p.day
        WHERE a.manages_partitions),
    predicted AS (
        SELECT a.id, p.day, p.tbl FROM logintel._partitions_by_time('logintel_internal.predictions') p
        CROSS JOIN logintel_internal.attachments a
        WHERE a.manages_partitions AND p.day < logintel._first_kept()
          AND (logintel._is_only_attachment(a.id) OR logintel._is_empty(p.tbl)))
    SELECT coalesce(m.id, p.id), coalesce(m.day, p.day), m.tbl, coalesce(p.tbl, t.tbl)
    FROM made m FULL JOIN predicted p ON p.id = m.id AND p.day = m.day
    LEFT JOIN logintel._partitions_by_time('logintel_internal.predictions') t ON t.day = m.day
    WHERE coalesce(m.day, p.day) < logintel._first_kept();
END;

COMMENT ON FUNCTION logintel._expired_days() IS 'Days of a log table older than the setting retention_days keeps: its partition that logintel made, and that of predictions.';

CREATE OR REPLACE FUNCTION logintel._has_lines_elsewhere(
    attachment_id integer, day date, lines regclass
) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT lines IS NULL AND logintel._fetched_any($1, h.from_hour, h.to_hour)  -- bounds of partitions do not overlap
    FROM logintel._day_hours(day - date '1970-01-01') AS h;
$function$;

COMMENT ON FUNCTION logintel._has_lines_elsewhere(integer, date, regclass) IS 'Whether lines of a day are in another partition than that of the day.';

-- A line without a time has its prediction in the day in which that was made, and outlives that day: it then waits for
-- a new one.
CREATE OR REPLACE FUNCTION logintel._queue_timeless_lines(
    attachment_id integer, from_hour timestamptz, to_hour timestamptz
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    EXECUTE $sql$  -- planned for these times: see _remove_predictions()
        INSERT INTO logintel_internal.pending (attachment_id, log_entry_id)
        SELECT DISTINCT $3, l.id
        FROM logintel._fetched_timeless($3) l
        JOIN logintel_internal.predictions p ON p.log_entry_id = l.id AND logintel._attachment_of(p.score_id) = $3
        WHERE p."timestamp" >= $1 AND p."timestamp" < $2 AND p."timestamp" = p.predicted_at
        $sql$ USING from_hour, to_hour, attachment_id;
END
$function$;

COMMENT ON FUNCTION logintel._queue_timeless_lines(integer, timestamptz, timestamptz) IS 'Queues the lines without a time whose prediction was made between these times.';

-- Predictions of a day that other tables have lines of go row by row, and the roll-up takes them off the counts.
CREATE OR REPLACE FUNCTION logintel._remove_predictions_of_day(
    attachment_id integer, from_hour timestamptz, to_hour timestamptz
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    EXECUTE $sql$  -- planned for these times: see _remove_predictions()
        WITH removed AS (
            DELETE FROM logintel_internal.predictions p
            WHERE p."timestamp" >= $1 AND p."timestamp" < $2 AND logintel._attachment_of(p.score_id) = $3
            RETURNING p.score_id, p."timestamp", p.txid)
        INSERT INTO logintel_internal.removed_predictions (hour, score_id, prediction_txid, lines)
        SELECT date_trunc('hour', r."timestamp", 'UTC'), r.score_id, r.txid, count(*) FROM removed r GROUP BY 1, 2, 3
        $sql$ USING from_hour, to_hour, attachment_id;
END
$function$;

COMMENT ON FUNCTION logintel._remove_predictions_of_day(integer, timestamptz, timestamptz) IS 'Removes the predictions of one table''s lines of a day.';

CREATE OR REPLACE FUNCTION logintel._has_predictions_of_others(
    attachment_id integer, from_hour timestamptz, to_hour timestamptz
) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    found boolean;
BEGIN
    IF logintel._is_only_attachment(attachment_id) THEN
        RETURN false;
    END IF;
    EXECUTE 'SELECT EXISTS (SELECT FROM logintel_internal.predictions p WHERE p."timestamp" >= $1 AND p."timestamp" < '
        '$2 '
            'AND logintel._attachment_of(p.score_id) <> $3)' INTO found USING from_hour, to_hour, attachment_id;
    RETURN found;
END
$function$;

COMMENT ON FUNCTION logintel._has_predictions_of_others(integer, timestamptz, timestamptz) IS 'Whether other tables have predictions in these hours.';

CREATE OR REPLACE FUNCTION logintel._try_drop_day(
    attachment_id integer, day date, lines regclass, predictions regclass, OUT dropped boolean, OUT is_locked boolean,
    OUT reason text
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
DECLARE
    attached logintel_internal.attachments := (
        SELECT a FROM logintel_internal.attachments a WHERE a.id = attachment_id);
    days bigint := day - date '1970-01-01';
    hours record := logintel._day_hours(days);
    log_table CONSTANT regclass := attached.log_table;
    is_shared CONSTANT boolean := logintel._has_predictions_of_others(attached.id, hours.from_hour, hours.to_hour);
    versions text;
BEGIN
    dropped := false;
    is_locked := false;
    IF logintel._has_lines_elsewhere(attached.id, day, lines) THEN
        RETURN;
    END IF;
    PERFORM logintel._queue_timeless_lines(attached.id, hours.from_hour, hours.to_hour);
    IF is_shared THEN
        PERFORM logintel._remove_predictions_of_day(attached.id, hours.from_hour, hours.to_hour);
    ELSE
        PERFORM logintel._announce('day_dropped', days);
        DELETE FROM logintel_internal.predictions_default p
        WHERE p."timestamp" >= hours.from_hour AND p."timestamp" < hours.to_hour
          AND logintel._attachment_of(p.score_id) = attached.id;
    END IF;
    DELETE FROM logintel_internal.pending q
    WHERE q.attachment_id = attached.id AND q."timestamp" >= hours.from_hour AND q."timestamp" < hours.to_hour;
    DELETE FROM logintel_internal.made_partitions m WHERE m.partition = lines::oid;
    IF lines IS NOT NULL THEN  -- first, as writers lock the log table first
        -- Detaching a day reads the tables that refer to it.
        versions := logintel._begin_as_table_owner(attached, ARRAY[log_table, lines] || ARRAY(
            SELECT k.conrelid::regclass FROM pg_constraint k
            JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class l ON l.oid = log_table
            WHERE k.contype = 'f' AND k.confrelid = lines AND pg_has_role(l.relowner, c.relowner, 'USAGE')), false);
        EXECUTE format('SELECT logintel._table_owner_drop_day_%s($1, $2)', attached.id) USING log_table, lines;
        PERFORM logintel._end_as_table_owner(attached, versions);
    END IF;
    IF predictions IS NOT NULL AND NOT is_shared THEN
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', predictions);
        IF logintel._has_predictions_of_others(attached.id, hours.from_hour, hours.to_hour) THEN
            RAISE lock_not_available;  -- somebody has just written a line of that day into another table
        END IF;
        EXECUTE format('DROP TABLE %s', predictions);
    END IF;
    dropped := true;
EXCEPTION
    WHEN lock_not_available THEN
        dropped := false;
        is_locked := true;
    WHEN OTHERS THEN
        dropped := false;
        reason := SQLERRM;
END
$function$;

COMMENT ON FUNCTION logintel._try_drop_day(integer, date, regclass, regclass) IS 'Drops the lines and the predictions of a day, unless lines of it are elsewhere; or returns what is in the way, and whether that is an open transaction.';

-- Lines without a partition of their own go row by row, their predictions with them by the trigger.
CREATE OR REPLACE FUNCTION logintel._delete_expired_lines(
    attached logintel_internal.attachments, OUT deleted bigint, OUT reason text
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
DECLARE
    default_partition regclass := logintel._default_partition(attached.log_table);
    first_kept timestamptz := logintel._first_kept()::timestamp AT TIME ZONE 'UTC';
    versions text;
BEGIN
    deleted := 0;
    IF default_partition IS NULL OR first_kept IS NULL OR NOT attached.manages_partitions THEN
        RETURN;
    END IF;
    IF NOT logintel._fetched_any(attached.id, '-infinity', first_kept) THEN
        RETURN;
    END IF;
    versions := logintel._begin_as_table_owner(attached, ARRAY[default_partition], true);
    EXECUTE format('SELECT logintel._table_owner_delete_lines_%s($1, $2, $3)', attached.id) INTO deleted
    USING default_partition, attached.columns ->> 'timestamp', first_kept;
    PERFORM logintel._end_as_table_owner(attached, versions);
EXCEPTION
    WHEN lock_not_available THEN
        deleted := 0;
    WHEN OTHERS THEN  -- a trigger or a foreign key of the log table: in the way of its lines, and of no day
        deleted := 0;
        reason := format('lines of %s: %s', default_partition, SQLERRM);
END
$function$;

COMMENT ON FUNCTION logintel._delete_expired_lines(logintel_internal.attachments) IS 'Deletes some expired lines of the default partition; returns how many, and what is in the way.';

-- What is wrong with one table keeps no day of another one. No cursor is open while tables are read: their owners' code
-- could move it on.
CREATE OR REPLACE FUNCTION logintel._drop_next_day(OUT dropped bigint, OUT reasons text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
DECLARE
    expired record;
    tried record;
BEGIN
    dropped := 0;
    SELECT array_agg(e.attachment_id ORDER BY e.day, e.attachment_id) AS ids,
           array_agg(e.day ORDER BY e.day, e.attachment_id) AS days,
           array_agg(e.lines ORDER BY e.day, e.attachment_id) AS lines,
           array_agg(e.predictions ORDER BY e.day, e.attachment_id) AS predictions INTO expired
    FROM logintel._expired_days() e;
    FOR n IN 1 .. coalesce(cardinality(expired.ids), 0) LOOP
        tried := logintel._try_drop_day(expired.ids[n], expired.days[n], expired.lines[n], expired.predictions[n]);
        IF tried.dropped THEN
            dropped := 1;
            UPDATE logintel_internal.attachments a SET reconciled_tables = logintel._log_table_oids(a.log_table)
            WHERE a.id = expired.ids[n] AND a.reconciled_tables IS NOT NULL;
            RETURN;
        END IF;
        -- The lock that was not to be had is that of all days, or of the only table.
        EXIT WHEN tried.is_locked AND logintel._is_only_attachment(expired.ids[n]);
        IF tried.reason IS NOT NULL THEN
            reasons := concat_ws('; ', reasons, format('%s: %s', to_char(expired.days[n], 'YYYY-MM-DD'), tried.reason));
        END IF;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._drop_next_day() IS 'Drops the oldest expired day that nothing is in the way of; returns 1, or 0 and what is in the way of all.';

CREATE OR REPLACE FUNCTION logintel._check_054_retention() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN count(*) > 0 THEN 'note' ELSE 'ok' END,
           format('%s days%s older than retention_days are still there', count(DISTINCT e.day),
                  ' of ' || string_agg(DISTINCT a.log_table::text, ', ')),
           CASE WHEN count(*) > 0 THEN
               'maintain() drops them, as soon as no transaction that read or wrote the log table stays open' END
    FROM logintel._expired_days() e JOIN logintel_internal.attachments a ON a.id = e.attachment_id;
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
    JOIN logintel._installer_functions_of_others() f ON f.belongs_to = 'owner'
    JOIN pg_proc p ON p.pronamespace = 'logintel'::regnamespace AND p.proname = concat(f.name, '_', a.id)
                      AND p.proowner <> c.relowner
    WHERE a.manages_partitions GROUP BY a.log_table, c.relowner;
END;

COMMENT ON FUNCTION logintel._check_055_partitions() IS 'Check of doctor(): what keeps daily partitions from being made.';
