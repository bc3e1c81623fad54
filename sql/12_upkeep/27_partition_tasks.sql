-- Partitions and triggers: last, because a maintain() inside a transaction keeps their locks until its end. None of
-- these tasks waits for who keeps the log table locked: the upkeep has more to do, and what they had to leave is done
-- the next time. What is in the way of all that is left is a failure: ml_upkeep and doctor() tell it until it is gone.
CREATE OR REPLACE FUNCTION logintel._task_121_create_triggers() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS
$function$
DECLARE
    tried record;
BEGIN
    SELECT t.* INTO tried FROM logintel.attachments a CROSS JOIN LATERAL logintel._try_create_triggers(a.log_table) t;
    IF tried.made = 0 AND tried.locked <> '{}' THEN
        RAISE EXCEPTION '% keeps its triggers waiting', array_to_string(tried.locked, ', ')
            USING ERRCODE = 'lock_not_available',
                  HINT = 'End the transactions that have locked it; pg_locks shows them.';
    END IF;
    RETURN coalesce(tried.made, 0);
END
$function$;

COMMENT ON FUNCTION logintel._task_121_create_triggers() IS 'Task of the upkeep: creates the triggers that new partitions lack.';

-- New partitions may have brought lines along, vanished ones have taken lines away.
CREATE OR REPLACE FUNCTION logintel._task_122_compare_lines_of_changed_partitions() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS
$function$
BEGIN
    IF EXISTS (SELECT FROM logintel.attachments a
               WHERE a.reconciled_tables IS DISTINCT FROM logintel._log_table_oids()) THEN
        RETURN (SELECT sum(r.done) FROM logintel.reconcile() AS r);
    END IF;
    RETURN 0;
END
$function$;

COMMENT ON FUNCTION logintel._task_122_compare_lines_of_changed_partitions() IS 'Task of the upkeep: reconcile(), where partitions came or went.';

-- Pages that the BRIN index does not describe yet are read whenever somebody looks for uncounted predictions or an
-- hour.
CREATE OR REPLACE FUNCTION logintel._task_123_summarize_indexes() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS
$function$
BEGIN
    RETURN (
        SELECT coalesce(sum(brin_summarize_new_values(x.indexrelid)), 0)
        FROM pg_inherits i
        JOIN pg_index x ON x.indrelid = i.inhrelid
        JOIN pg_class c ON c.oid = x.indexrelid
        JOIN pg_am m ON m.oid = c.relam AND m.amname = 'brin'
        WHERE i.inhparent = 'logintel.predictions'::regclass);
EXCEPTION WHEN lock_not_available THEN
    RETURN 0;  -- a vacuum is at work, which does the same
END
$function$;

COMMENT ON FUNCTION logintel._task_123_summarize_indexes() IS 'Task of the upkeep: lets the BRIN indexes of predictions describe the pages written since the last time.';

CREATE OR REPLACE FUNCTION logintel._task_124_create_partitions() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS
$function$
DECLARE
    today date := now() AT TIME ZONE 'UTC';
    created bigint := logintel.create_partitions(today, today + 7);
    taken text := (SELECT string_agg(t, ', ') FROM logintel._taken_names(today, today + 7) AS t WHERE created = 0);
BEGIN
    IF taken IS NOT NULL THEN
        RAISE EXCEPTION 'what is called % is no partition of that day', taken
            USING ERRCODE = 'duplicate_table',
                  HINT = 'Rename or drop it: lines of that day lie in the default partition.';
    END IF;
    RETURN created;
END
$function$;

COMMENT ON FUNCTION logintel._task_124_create_partitions() IS 'Task of the upkeep: creates the partitions of the week ahead.';

-- The counts are locked first, as by a roll-up, which then reads the partitions.
CREATE OR REPLACE FUNCTION logintel._task_125_drop_days() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS
$function$
BEGIN
    PERFORM logintel._lock_counts();
    RETURN logintel._apply_retention();
END
$function$;

COMMENT ON FUNCTION logintel._task_125_drop_days() IS 'Task of the upkeep: drops the days that the setting retention_days no longer keeps.';
