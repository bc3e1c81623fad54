-- Where nothing is left, everything starts afresh; where only a partition was truncated, its lines are looked for.
--
-- Who truncates has locked the log table, so nothing that readers of views or the upkeep hold may be waited for: they
-- may wait for the log table next. What starts afresh needs locks that exclude them. Where one is not to be had at
-- once, predictions are deleted row by row instead, as those of deleted lines are, which excludes nobody.
CREATE OR REPLACE FUNCTION logintel._try_forget_all_lines() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS
$function$
BEGIN
    PERFORM logintel._announce('lines_forgotten', 0);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$function$;

COMMENT ON FUNCTION logintel._try_forget_all_lines() IS 'Lets everything start afresh when all lines are gone; false where somebody reads or counts.';

CREATE OR REPLACE FUNCTION logintel._remove_predictions_of_vanished_lines() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    WITH removed AS (
        DELETE FROM logintel.predictions p
        WHERE NOT EXISTS (SELECT FROM logintel._fetched_keys() l
                          WHERE l.id = p.log_entry_id AND logintel._is_time_of(l."timestamp", p."timestamp",
                              p.predicted_at))
        RETURNING p.score_id, p."timestamp", p.txid)
    INSERT INTO logintel.removed_predictions (hour, score_id, prediction_txid, lines)
    SELECT date_trunc('hour', r."timestamp", 'UTC'), r.score_id, r.txid, count(*) FROM removed r GROUP BY 1, 2, 3;
$function$;

COMMENT ON FUNCTION logintel._remove_predictions_of_vanished_lines() IS 'Removes the predictions of lines that are gone.';

-- Rows that a worker has in hand cannot be deleted, and are back when it gives up. So it is noted that their lines may
-- be gone, as it is of changed lines: then they are looked for before they count.
CREATE OR REPLACE FUNCTION logintel._doubt_waiting_lines() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    INSERT INTO logintel.pending (log_entry_id, changed)
    SELECT DISTINCT q.log_entry_id, true FROM logintel.pending q
    WHERE NOT EXISTS (
        SELECT FROM logintel._fetched_lines(ARRAY(SELECT DISTINCT v.log_entry_id FROM logintel.pending v)) l
        WHERE l.id = q.log_entry_id);
$function$;

COMMENT ON FUNCTION logintel._doubt_waiting_lines() IS 'Notes of lines that are gone, and that somebody has in hand, that they may be.';

CREATE OR REPLACE FUNCTION logintel._delete_all_predictions() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._remove_predictions_of_vanished_lines();
    DELETE FROM logintel.pending q
    WHERE q.ctid = ANY (ARRAY(SELECT p.ctid FROM logintel.pending p FOR UPDATE SKIP LOCKED));
    PERFORM logintel._doubt_waiting_lines();
    PERFORM logintel._announce('lines_deleted', 0);
END
$function$;

COMMENT ON FUNCTION logintel._delete_all_predictions() IS 'Removes all predictions when all lines are gone, beside those who read and count.';

-- A snapshot that is older than the lock may not see all predictions that are to be deleted: there they are truncated.
CREATE OR REPLACE FUNCTION logintel._forget_lines_of_truncated_table() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF logintel._fetched_count(1) > 0 THEN
        PERFORM logintel._remove_predictions_of_vanished_lines();
        DELETE FROM logintel.pending q
        WHERE current_setting('transaction_isolation') = 'read committed' AND q.ctid = ANY (ARRAY(
            SELECT p.ctid FROM logintel.pending p
            WHERE NOT EXISTS (
                SELECT FROM logintel._fetched_lines(ARRAY(SELECT DISTINCT v.log_entry_id FROM logintel.pending v)) l
                WHERE l.id = p.log_entry_id)
            FOR UPDATE SKIP LOCKED));
        PERFORM logintel._doubt_waiting_lines();
    ELSIF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        PERFORM logintel._announce('lines_forgotten', 0);
    ELSIF NOT logintel._try_forget_all_lines() THEN
        PERFORM logintel._delete_all_predictions();
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._forget_lines_of_truncated_table() IS 'Forgets the lines that are gone since the log table, or a part of it, was truncated.';

-- Whatever fails, the table is truncated: the next upkeep compares lines and predictions.
CREATE OR REPLACE FUNCTION logintel._forget_truncated_lines() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF EXISTS (SELECT FROM logintel.attachments a WHERE logintel._is_below(TG_RELID, a.log_table)) THEN
        PERFORM logintel._forget_lines_of_truncated_table();
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    IF SQLSTATE = '40001' THEN
        RAISE;
    END IF;
    RAISE WARNING 'predictions of truncated lines are still there: %', SQLERRM
        USING HINT = 'SELECT * FROM logintel.reconcile() removes them.';
    UPDATE logintel.attachments SET reconciled_tables = NULL;
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._forget_truncated_lines() IS 'Trigger on the log table: truncated lines take their predictions along.';
