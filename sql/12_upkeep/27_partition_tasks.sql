-- Partitions and triggers: last, because a maintain() inside a transaction keeps their locks until its end. None of
-- these tasks waits longer than writers may for who keeps the log table locked: the upkeep has more to do, and what
-- they had to leave is done the next time. What is in the way of all that is left is a failure: ml_upkeep and
-- doctor() tell it until it is gone.
CREATE OR REPLACE FUNCTION logintel._task_121_create_triggers() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    made bigint;
    locked text;
    dropped bigint := (SELECT count(*) FROM logintel._left_triggers() t WHERE logintel._try_drop_trigger(t.tbl,
        t.name));
BEGIN
    SELECT coalesce(sum(t.made), 0), string_agg(array_to_string(nullif(t.locked, '{}'), ', '), ', ') INTO made, locked
    FROM logintel_internal.attachments a CROSS JOIN LATERAL logintel._try_create_triggers(a.log_table) t;
    IF made = 0 AND locked IS NOT NULL THEN
        RAISE EXCEPTION '% keeps its triggers waiting', locked
            USING ERRCODE = 'lock_not_available',
                  HINT = 'End the transactions that have locked it; pg_locks shows them.';
    END IF;
    RETURN made + dropped;
END
$function$;

COMMENT ON FUNCTION logintel._task_121_create_triggers() IS 'Task of the upkeep: creates the triggers that new partitions lack, and drops those of detached ones.';

-- New partitions may have brought lines along, vanished ones have taken lines away, and so have truncated ones.
CREATE OR REPLACE FUNCTION logintel._task_122_compare_lines_of_changed_partitions() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS
$function$
DECLARE
    compared record;
    done bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM logintel_internal.truncations) AND NOT EXISTS (
        SELECT FROM logintel_internal.attachments a
        WHERE a.reconciled_tables IS DISTINCT FROM logintel._log_table_oids(a.log_table)) THEN
        RETURN 0;
    END IF;
    PERFORM logintel._lock_counts();  -- before the lines, as in reconcile()
    compared := logintel._compare_tables(true);
    PERFORM logintel._roll_up();
    done := compared.removed + compared.queued + compared.ended + logintel._correct_counts();
    IF compared.failure IS NOT NULL AND done = 0 THEN
        RAISE EXCEPTION 'lines and predictions were not compared of %', compared.failure
            USING ERRCODE = compared.state, HINT = compared.hint;
    END IF;
    RETURN done;
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
    SELECT sum(d.deleted) AS deleted, string_agg(d.reason, '; ') AS reason INTO deleted
    FROM logintel_internal.attachments a CROSS JOIN LATERAL logintel._delete_expired_lines(a) d;
    deleted.deleted := coalesce(deleted.deleted, 0);
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

-- What a log table became since: its columns were renamed, dropped or given other types, it was renamed itself, or is
-- gone. A line that waits meanwhile is scored when its column is found again.
CREATE OR REPLACE FUNCTION logintel._follow_log_table(attached logintel_internal.attachments) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    followed jsonb;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = attached.log_table) THEN
        PERFORM logintel._end_attachment(attached.id);
        RETURN 1;
    END IF;
    IF logintel._reads_as(attached.id) IS DISTINCT FROM logintel._installer_reader(attached.log_table)
       AND pg_has_role(session_user, logintel._installer_table_owner(attached.log_table), 'USAGE') THEN
        PERFORM logintel._installer_change_reader(attached);
    END IF;
    followed := (SELECT coalesce(jsonb_object_agg(n.key, a.attname), '{}')
        FROM jsonb_each_text(attached.column_numbers) AS n
                 JOIN pg_attribute a ON a.attrelid = attached.log_table AND a.attnum = n.value::smallint
                     AND NOT a.attisdropped
                 JOIN logintel._line_fields() f ON f.name = n.key AND (f.takes IS NULL
                     OR logintel._base_type(a.atttypid) = ANY (f.takes)));
    IF followed = attached.columns
       AND logintel._all_lines_text() = (SELECT p.prosrc FROM pg_proc p
                                         WHERE p.oid = 'logintel._log_lines()'::regprocedure) THEN
        RETURN logintel._set_barriers();
    END IF;
    UPDATE logintel_internal.attachments a SET columns = followed WHERE a.id = attached.id;
    RETURN 1;
END
$function$;

COMMENT ON FUNCTION logintel._follow_log_table(logintel_internal.attachments) IS 'Follows what a log table and its columns became, and ends the attachment of one that is gone.';

-- One table after the other: what keeps one from being followed keeps no other one.
CREATE OR REPLACE FUNCTION logintel._task_120_follow_log_table() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    attached logintel_internal.attachments;
    followed bigint := 0;
    failure text;
    state text;
BEGIN
    FOREACH attached IN ARRAY ARRAY(SELECT a FROM logintel_internal.attachments a ORDER BY a.id) LOOP
        BEGIN
            followed := followed + logintel._follow_log_table(attached);
        EXCEPTION WHEN OTHERS THEN
            IF logintel._is_only_attachment(attached.id) THEN
                RAISE;
            END IF;
            failure := concat_ws('; ', failure, format('%s: %s', attached.log_table, SQLERRM));
            state := SQLSTATE;
        END;
    END LOOP;
    IF failure IS NOT NULL AND followed = 0 THEN
        RAISE EXCEPTION 'changes of log tables are not followed: %', failure
            USING ERRCODE = state, HINT = 'Mend what it names; the next maintain() tries again.';
    END IF;
    RETURN followed;
END
$function$;

COMMENT ON FUNCTION logintel._task_120_follow_log_table() IS 'Task of the upkeep: reads the log table by what its columns are called now, and forgets one that was dropped.';
