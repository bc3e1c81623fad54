-- Partitions and triggers: last, because a maintain() inside a transaction keeps their locks until its end.
CREATE OR REPLACE FUNCTION logintel._task_121_create_triggers() RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'SELECT coalesce(sum(logintel._create_triggers(a.log_table)), 0) FROM logintel.attachments a';

COMMENT ON FUNCTION logintel._task_121_create_triggers() IS 'Task of the upkeep: creates the triggers that new partitions lack.';

-- New partitions may have brought lines along, vanished ones have taken lines away.
CREATE OR REPLACE FUNCTION logintel._task_122_compare_lines_of_changed_partitions() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
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
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT logintel.create_partitions(d.today, d.today + 7)
    FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS d;
$function$;

COMMENT ON FUNCTION logintel._task_124_create_partitions() IS 'Task of the upkeep: creates the partitions of the week ahead.';

-- The counts are locked first, as by a roll-up, which then reads the partitions.
CREATE OR REPLACE FUNCTION logintel._task_125_drop_days() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._lock_counts();
    RETURN logintel._apply_retention();
END
$function$;

COMMENT ON FUNCTION logintel._task_125_drop_days() IS 'Task of the upkeep: drops the days that the setting retention_days no longer keeps.';
