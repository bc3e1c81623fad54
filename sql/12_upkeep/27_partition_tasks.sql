-- Partitions and triggers: last, because a maintain() inside a transaction keeps their locks until its end. None of
-- these tasks waits longer than writers may for who keeps the log table locked: the upkeep has more to do, and what
-- they had to leave is done the next time. What is in the way of all that is left is a failure: ml_upkeep and
-- doctor() tell it until it is gone.
CREATE OR REPLACE FUNCTION logintel._task_121_create_triggers() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    tried record;
    dropped bigint := (SELECT count(*) FROM logintel._left_triggers() t WHERE logintel._try_drop_trigger(t.tbl,
        t.name));
BEGIN
    SELECT t.* INTO tried FROM logintel_internal.attachments a
        CROSS JOIN LATERAL logintel._try_create_triggers(a.log_table) t;
    IF tried.made = 0 AND tried.locked <> '{}' THEN
        RAISE EXCEPTION '% keeps its triggers waiting', array_to_string(tried.locked, ', ')
            USING ERRCODE = 'lock_not_available',
                  HINT = 'End the transactions that have locked it; pg_locks shows them.';
    END IF;
    RETURN coalesce(tried.made, 0) + dropped;
END
$function$;

COMMENT ON FUNCTION logintel._task_121_create_triggers() IS 'Task of the upkeep: creates the triggers that new partitions lack, and drops those of detached ones.';

-- New partitions may have brought lines along, vanished ones have taken lines away, and so have truncated ones.
CREATE OR REPLACE FUNCTION logintel._task_122_compare_lines_of_changed_partitions() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS
$function$
BEGIN
    IF EXISTS (SELECT FROM logintel_internal.attachments a
               WHERE a.reconciled_tables IS DISTINCT FROM logintel._log_table_oids() OR logintel._is_to_compare()) THEN
        RETURN (SELECT sum(r.done) FROM logintel.reconcile() AS r);
    END IF;
    RETURN 0;
END
$function$;

COMMENT ON FUNCTION logintel._task_122_compare_lines_of_changed_partitions() IS 'Task of the upkeep: reconcile(), where partitions came or went, or a truncation may have left predictions.';

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
        WHERE i.inhparent = 'logintel_internal.predictions'::regclass);
EXCEPTION WHEN lock_not_available THEN
    RETURN 0;  -- a vacuum is at work, which does the same
END
$function$;

COMMENT ON FUNCTION logintel._task_123_summarize_indexes() IS 'Task of the upkeep: lets the BRIN indexes of predictions describe the pages written since the last time.';

CREATE OR REPLACE FUNCTION logintel._task_124_create_partitions() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    today date := now() AT TIME ZONE 'UTC';
    made record := logintel._create_days(today, today + 7, 16777216);
BEGIN
    IF made.created = 0 AND made.reasons IS NOT NULL THEN
        RAISE EXCEPTION 'days have no partition: %', made.reasons
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Mend what it names; or, at a quiet time, SELECT logintel.create_partitions(current_date, '
                      'current_date + 365).';
    END IF;
    RETURN made.created;
END
$function$;

COMMENT ON FUNCTION logintel._task_124_create_partitions() IS 'Task of the upkeep: creates the partitions of the week ahead.';

-- The counts are locked first, as by a roll-up, which then reads the partitions. One day at a time: who writes waits
-- for one at most.
CREATE OR REPLACE FUNCTION logintel._task_125_drop_days() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    dropped record;
    deleted record;
BEGIN
    PERFORM logintel._lock_counts();
    deleted := logintel._delete_expired_lines();
    dropped := logintel._drop_next_day();
    dropped.reasons := concat_ws('; ', deleted.reason, dropped.reasons);
    IF dropped.dropped = 0 AND deleted.deleted = 0 AND dropped.reasons <> '' THEN
        RAISE EXCEPTION 'expired days are still there: %', dropped.reasons
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Mend what it names, or end these transactions.';
    END IF;
    PERFORM logintel._has_more_to_do() WHERE dropped.dropped > 0 OR deleted.deleted > 0;
    RETURN dropped.dropped;
END
$function$;

COMMENT ON FUNCTION logintel._task_125_drop_days() IS 'Task of the upkeep: drops the days that the setting retention_days no longer keeps.';

-- What the log table became since: its columns were renamed, dropped or given other types, it was renamed itself, or is
-- gone. A line that waits meanwhile is scored when its column is found again.
CREATE OR REPLACE FUNCTION logintel._task_120_follow_log_table() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    attached logintel_internal.attachments := (SELECT a FROM logintel_internal.attachments a);
    followed jsonb;
BEGIN
    IF attached IS NULL THEN
        RETURN 0;
    ELSIF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = attached.log_table) THEN
        DELETE FROM logintel_internal.attachments;
        PERFORM logintel._announce('lines_forgotten', 0);
        RETURN 1;
    END IF;
    followed := (SELECT coalesce(jsonb_object_agg(n.key, a.attname), '{}')
        FROM jsonb_each_text(attached.column_numbers) AS n
                 JOIN pg_attribute a ON a.attrelid = attached.log_table AND a.attnum = n.value::smallint
                     AND NOT a.attisdropped
                 JOIN logintel._line_fields() f ON f.name = n.key AND (f.takes IS NULL
                     OR logintel._base_type(a.atttypid) = ANY (f.takes)));
    IF followed = attached.columns
       AND logintel._log_lines_text(attached) = (SELECT p.prosrc FROM pg_proc p
                                                 WHERE p.oid = 'logintel._log_lines()'::regprocedure) THEN
        RETURN logintel._set_barriers();
    END IF;
    UPDATE logintel_internal.attachments SET columns = followed;
    RETURN 1;
END
$function$;

COMMENT ON FUNCTION logintel._task_120_follow_log_table() IS 'Task of the upkeep: reads the log table by what its columns are called now, and forgets one that was dropped.';
