-- Where the only log table itself was truncated, everything starts afresh; where only a partition was, its lines are
-- looked for, because lines are written to the others meanwhile, and a prediction has to find its table.
--
-- Who truncates has locked the log table, so nothing that readers of views or the upkeep hold may be waited for: they
-- may wait for the log table next. What starts afresh needs locks that exclude them. Where one is not to be had at
-- once, predictions are deleted row by row instead, as those of deleted lines are, which excludes nobody. Where a row
-- is not to be had either, it is noted that lines and predictions have to be compared.
CREATE OR REPLACE FUNCTION logintel._try_forget_all_lines(attachment_id integer) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
BEGIN
    IF NOT logintel._is_only_attachment(attachment_id) OR logintel._fetched_count(attachment_id, 1) > 0 THEN
        RETURN false;  -- TRUNCATE ONLY leaves those of tables that inherit from it
    END IF;
    PERFORM logintel._announce('lines_forgotten', attachment_id);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$function$;

COMMENT ON FUNCTION logintel._try_forget_all_lines(integer) IS 'Lets everything start afresh when all lines are gone; false where some are left, or somebody reads or counts.';

CREATE OR REPLACE FUNCTION logintel._remove_predictions_of_vanished_lines(attachment_id integer) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    WITH removed AS (
        DELETE FROM logintel_internal.predictions p
        WHERE logintel._attachment_of(p.score_id) = $1
          AND NOT EXISTS (SELECT FROM logintel._fetched_keys($1) l
                          WHERE l.id = p.log_entry_id AND logintel._is_time_of(l."timestamp", p."timestamp",
                              p.predicted_at))
        RETURNING p.score_id, p."timestamp", p.txid)
    INSERT INTO logintel_internal.removed_predictions (hour, score_id, prediction_txid, lines)
    SELECT date_trunc('hour', r."timestamp", 'UTC'), r.score_id, r.txid, count(*) FROM removed r GROUP BY 1, 2, 3;
$function$;

COMMENT ON FUNCTION logintel._remove_predictions_of_vanished_lines(integer) IS 'Removes the predictions of lines that are gone.';

-- Rows that a worker has in hand cannot be deleted, and are back when it gives up. So it is noted that their lines may
-- be gone, as it is of changed lines: then they are looked for before they count. Another line may have the same key.
CREATE OR REPLACE FUNCTION logintel._doubt_waiting_lines(attachment_id integer) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    INSERT INTO logintel_internal.pending (attachment_id, log_entry_id, changed)
    SELECT DISTINCT $1, q.log_entry_id, true FROM logintel_internal.pending q
    WHERE q.attachment_id = $1 AND NOT EXISTS (
        SELECT FROM logintel._fetched_lines($1, ARRAY(SELECT DISTINCT v.log_entry_id FROM logintel_internal.pending v
                                                      WHERE v.attachment_id = $1)) l
        WHERE l.id = q.log_entry_id
          AND (q.changed OR q."timestamp" IS NOT DISTINCT FROM logintel._line_time(l."timestamp")));
$function$;

COMMENT ON FUNCTION logintel._doubt_waiting_lines(integer) IS 'Notes of lines that are gone, and that somebody has in hand, that they may be.';

CREATE OR REPLACE FUNCTION logintel._has_old_snapshot() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN current_setting('transaction_isolation') IN ('repeatable read', 'serializable');

COMMENT ON FUNCTION logintel._has_old_snapshot() IS 'Whether this transaction sees nothing that others commit since it began.';

-- Where rows of the queue cannot be locked without a failure to serialize, they stay until their lines are looked for.
CREATE OR REPLACE FUNCTION logintel._try_remove_vanished_lines(attachment_id integer) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
BEGIN
    PERFORM logintel._remove_predictions_of_vanished_lines($1);
    DELETE FROM logintel_internal.pending q
    WHERE NOT logintel._has_old_snapshot() AND q.ctid = ANY (ARRAY(
        SELECT p.ctid FROM logintel_internal.pending p
        WHERE p.attachment_id = $1 AND NOT EXISTS (
            SELECT FROM logintel._fetched_lines($1, ARRAY(SELECT DISTINCT v.log_entry_id
                FROM logintel_internal.pending v
                                                          WHERE v.attachment_id = $1)) l
            WHERE l.id = p.log_entry_id
              AND (p.changed OR p."timestamp" IS NOT DISTINCT FROM logintel._line_time(l."timestamp")))
        FOR UPDATE SKIP LOCKED));
    PERFORM logintel._doubt_waiting_lines($1);
    IF logintel._fetched_count($1, 1) = 0 THEN
        PERFORM logintel._announce('lines_deleted', $1);
    END IF;
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$function$;

COMMENT ON FUNCTION logintel._try_remove_vanished_lines(integer) IS 'Removes what there is of lines that are gone, beside those who read and count; false where somebody has some of it in hand.';

-- A snapshot that is older than the lock may not see all predictions that are to be deleted, which only a truncation of
-- theirs removes. Who has done that, for the log table and then for each of its partitions, has them locked: there is
-- nothing that he does not see.
CREATE OR REPLACE FUNCTION logintel._may_overlook_predictions() RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN logintel._has_old_snapshot() AND NOT EXISTS (
    SELECT FROM pg_locks k
    WHERE k.pid = pg_backend_pid() AND k.locktype = 'relation' AND k.mode = 'AccessExclusiveLock' AND k.granted
      AND k.relation = 'logintel_internal.predictions'::regclass);

COMMENT ON FUNCTION logintel._may_overlook_predictions() IS 'Whether others may have committed predictions that this transaction does not see.';

CREATE OR REPLACE FUNCTION logintel._forget_lines_of_truncated_table(
    attachment_id integer, is_log_table boolean
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF is_log_table AND logintel._try_forget_all_lines($1) THEN
        RETURN;
    END IF;
    IF NOT logintel._try_remove_vanished_lines($1) OR logintel._may_overlook_predictions() THEN
        INSERT INTO logintel_internal.truncations (attachment_id) VALUES ($1);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._forget_lines_of_truncated_table(integer, boolean) IS 'Forgets the lines that are gone since the log table, or a part of it, was truncated, or notes that this is to be done.';

-- Whatever fails, the table is truncated: lines and predictions are compared by whoever looks for work next.
CREATE OR REPLACE FUNCTION logintel._forget_truncated_lines() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._forget_lines_of_truncated_table(a.id, a.log_table = TG_RELID)
    FROM logintel_internal.attachments a WHERE logintel._is_below(TG_RELID, a.log_table);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    IF SQLSTATE = '40001' THEN
        RAISE;
    END IF;
    RAISE WARNING 'predictions of truncated lines are still there: %', SQLERRM
        USING HINT = 'SELECT * FROM logintel.reconcile() removes them.';
    INSERT INTO logintel_internal.truncations (attachment_id)
    SELECT a.id FROM logintel_internal.attachments a WHERE logintel._is_below(TG_RELID, a.log_table);
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._forget_truncated_lines() IS 'Trigger on the log table: truncated lines take their predictions along.';
