-- One statement, so that counting, taking off, and remembering what was counted see the same snapshot. Rows of
-- transactions that this snapshot does not see as finished wait for the next roll-up, however late they commit.
CREATE OR REPLACE FUNCTION logintel._roll_up() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    counted txid_snapshot := (SELECT s.counted FROM logintel.rollup_state s);
    lines bigint;
BEGIN
    IF counted IS NULL THEN
        -- A restored database holds ids of another cluster's transactions, which may lie in this one's future. No other row
        -- that a snapshot sees has an id beyond it.
        UPDATE logintel.predictions p SET txid = 0
        WHERE p.txid >= txid_snapshot_xmax(txid_current_snapshot()) AND p.txid <> txid_current();
    END IF;
    EXECUTE format($sql$
        WITH now AS MATERIALIZED (
            SELECT logintel._ended_transactions($2) AS snapshot),
        added AS (
            SELECT date_trunc('hour', p."timestamp", 'UTC') AS hour, p.score_id, count(*) AS lines,
                   min(p."timestamp") AS first_at, max(p."timestamp") AS last_at
            FROM logintel.predictions p, now
            WHERE %s AND txid_visible_in_snapshot(p.txid, now.snapshot)
            GROUP BY 1, 2),
        removed AS (
            DELETE FROM logintel.removed_predictions RETURNING *),
        changed AS MATERIALIZED (
            SELECT c.hour, c.score_id, sum(c.lines)::bigint AS lines, bool_or(c.lines > 0) AS used,
                   min(c.first_at) AS first_at, max(c.last_at) AS last_at
            FROM (SELECT * FROM added
                  UNION ALL
                  SELECT r.hour, r.score_id, -r.lines, NULL, NULL FROM removed r WHERE txid_visible_in_snapshot(r.prediction_txid, $1)) AS c
            GROUP BY 1, 2),
        hours AS (
            INSERT INTO logintel.hourly_counts AS h (hour, score_id, lines, first_at, last_at)
            SELECT c.hour, c.score_id, c.lines, coalesce(c.first_at, 'infinity'), coalesce(c.last_at, '-infinity') FROM changed c
            ORDER BY c.hour, c.score_id  -- so that an hour's rows stand together
            ON CONFLICT (hour, score_id) DO UPDATE
            SET lines = h.lines + excluded.lines, first_at = least(h.first_at, excluded.first_at),
                last_at = greatest(h.last_at, excluded.last_at)),
        totals AS (
            INSERT INTO logintel.score_totals AS t (score_id, lines, last_used_at)
            SELECT c.score_id, sum(c.lines), CASE WHEN bool_or(c.used) THEN now() END FROM changed c GROUP BY 1
            ON CONFLICT (score_id) DO UPDATE
            SET lines = t.lines + excluded.lines, last_used_at = coalesce(excluded.last_used_at, t.last_used_at)
            RETURNING t.score_id),
        logged AS (
            INSERT INTO logintel.count_changes (hour, score_id, lines, is_new, is_recount)
            SELECT c.hour, c.score_id, c.lines,
                   row_number() OVER (PARTITION BY c.score_id ORDER BY c.hour) = 1
                       AND NOT EXISTS (SELECT FROM logintel.score_totals t WHERE t.score_id = c.score_id),
                   $1 IS NULL
            FROM changed c),
        to_measure AS (  -- also the hours in which the scores were made that have lines for the first time
            INSERT INTO logintel.changed_hours (hour)
            SELECT DISTINCT c.hour FROM changed c
            UNION ALL
            SELECT DISTINCT date_trunc('hour', s.scored_at, 'UTC') FROM totals n JOIN logintel.shape_scores s ON s.id = n.score_id
            WHERE s.at_write AND NOT EXISTS (SELECT FROM logintel.score_totals t WHERE t.score_id = n.score_id)),
        days AS (  -- as far as there is a next one
            INSERT INTO logintel.drift_days AS d (day) SELECT DISTINCT (c.hour AT TIME ZONE 'UTC')::date FROM changed c
            WHERE c.hour < '9999-12-31' AND c.hour > '-infinity'
            ON CONFLICT (day) DO UPDATE SET changed = true WHERE NOT d.changed),
        state AS (
            UPDATE logintel.rollup_state SET counted = now.snapshot, counted_at = now() FROM now)
        SELECT coalesce(sum(a.lines), 0) FROM added a
        $sql$, logintel._not_counted(counted)) INTO lines USING counted, txid_current();
    DELETE FROM logintel.hourly_counts h WHERE h.lines = 0;
    RETURN lines;
END
$function$;

COMMENT ON FUNCTION logintel._roll_up() IS 'Counts the predictions of transactions that ended since the last roll-up; returns how many.';
