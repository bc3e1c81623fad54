-- Who counts, or corrects counts, keeps others from doing so.
CREATE OR REPLACE FUNCTION logintel._lock_counts() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'UPDATE logintel_internal.rollup_state SET one_row = true';

COMMENT ON FUNCTION logintel._lock_counts() IS 'Waits until no other session counts, until the end of the transaction.';

-- One statement, so that counting, taking off, and remembering what was counted see the same snapshot. Rows of
-- transactions that this snapshot does not see as finished wait for the next roll-up, however late they commit.
CREATE OR REPLACE FUNCTION logintel._roll_up() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    counted txid_snapshot;
    last_change bigint;
    fewer_ids bigint[];
    fewer_hours timestamptz[];
    lines bigint;
BEGIN
    PERFORM logintel._lock_counts();
    counted := (SELECT s.counted FROM logintel_internal.rollup_state s);
    last_change := (SELECT max(c.id) FROM logintel_internal.count_changes c);
    IF counted IS NULL THEN
        -- A restored database holds ids of another cluster's transactions, which may lie in this one's future. No other row
        -- that a snapshot sees has an id beyond it.
        UPDATE logintel_internal.predictions p SET txid = 0
        WHERE p.txid >= txid_snapshot_xmax(txid_current_snapshot()) AND p.txid <> txid_current();
    END IF;
    EXECUTE format($sql$
        WITH now AS MATERIALIZED (
            SELECT logintel._ended_transactions($2) AS snapshot),
        added AS (
            SELECT date_trunc('hour', p."timestamp", 'UTC') AS hour, p.score_id, count(*) AS lines,
                   min(p."timestamp") AS first_at, max(p."timestamp") AS last_at, max(p.predicted_at) AS predicted_at
            FROM logintel_internal.predictions p, now
            WHERE %s AND txid_visible_in_snapshot(p.txid, now.snapshot)
            GROUP BY 1, 2),
        removed AS (
            DELETE FROM logintel_internal.removed_predictions RETURNING *),
        changed AS MATERIALIZED (
            SELECT c.hour, c.score_id, sum(c.lines)::bigint AS lines,
                   min(c.first_at) AS first_at, max(c.last_at) AS last_at
            FROM (SELECT a.hour, a.score_id, a.lines, a.first_at, a.last_at FROM added a
                  UNION ALL
                  SELECT r.hour, r.score_id, -r.lines, NULL, NULL FROM removed r WHERE txid_visible_in_snapshot(r.prediction_txid, $1)) AS c
            GROUP BY 1, 2),
        hours AS (
            INSERT INTO logintel_internal.hourly_counts AS h (hour, score_id, lines, first_at, last_at)
            SELECT c.hour, c.score_id, c.lines, coalesce(c.first_at, 'infinity'), coalesce(c.last_at, '-infinity') FROM changed c
            ORDER BY c.hour, c.score_id  -- so that an hour's rows stand together
            ON CONFLICT (hour, score_id) DO UPDATE
            SET lines = h.lines + excluded.lines, first_at = least(h.first_at, excluded.first_at),
                last_at = greatest(h.last_at, excluded.last_at)),
        totals AS (
            INSERT INTO logintel_internal.score_totals AS t (score_id, lines)
            SELECT c.score_id, sum(c.lines) FROM changed c GROUP BY 1
            ON CONFLICT (score_id) DO UPDATE SET lines = t.lines + excluded.lines
            RETURNING t.score_id, t.xmax = 0 AS is_new),  -- an updated row has an xmax, that of its lock
        logged AS (
            INSERT INTO logintel_internal.count_changes (hour, score_id, lines, is_new, is_recount)
            SELECT c.hour, c.score_id, c.lines,
                   t.is_new AND row_number() OVER (PARTITION BY c.score_id ORDER BY c.hour) = 1, $1 IS NULL
            FROM changed c JOIN totals t ON t.score_id = c.score_id),
        latest AS (
            INSERT INTO logintel_internal.latest_predictions AS l (attachment_id, predicted_at)
            SELECT logintel._attachment_of(a.score_id), max(a.predicted_at) FROM added a GROUP BY 1
            ON CONFLICT (attachment_id) DO UPDATE SET predicted_at = greatest(l.predicted_at, excluded.predicted_at)),
        state AS (
            UPDATE logintel_internal.rollup_state SET counted = now.snapshot, counted_at = now() FROM now)
        SELECT coalesce(sum(a.lines), 0) FROM added a
        $sql$, logintel._not_counted(counted)) INTO lines USING counted, txid_current();
    SELECT array_agg(DISTINCT c.score_id), array_agg(DISTINCT c.hour) INTO fewer_ids, fewer_hours
    FROM logintel_internal.count_changes c WHERE c.id > coalesce(last_change, 0) AND c.lines < 0;
    DELETE FROM logintel_internal.hourly_counts h WHERE h.score_id = ANY (fewer_ids) AND h.hour = ANY (fewer_hours) AND h.lines = 0;
    IF counted IS NULL THEN
        PERFORM logintel._note_all_unused();
    END IF;
    RETURN lines;
END
$function$;

COMMENT ON FUNCTION logintel._roll_up() IS 'Counts the predictions of transactions that ended since the last roll-up; returns how many.';

CREATE OR REPLACE FUNCTION logintel._task_061_count_predictions() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    DELETE FROM logintel_internal.count_changes c WHERE c.id <= (SELECT min(r.read_to)
        FROM logintel_internal.count_readers r);
    RETURN logintel._roll_up();
END
$function$;

COMMENT ON FUNCTION logintel._task_061_count_predictions() IS 'Task of the upkeep: counts predictions, and removes changes that all have read.';
