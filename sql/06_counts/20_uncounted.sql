-- Predictions that the roll-up has not counted, and counted ones that are gone: with the rolled-up counts they give the
-- number of rows, exactly, under any snapshot. The condition is in the query's text because the planner has to know
-- how few rows it leaves.
CREATE OR REPLACE FUNCTION logintel._not_counted(counted txid_snapshot) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN counted IS NULL THEN 'true'
            ELSE format('(p.txid >= %s%s)', txid_snapshot_xmax(counted),
                        (SELECT ' OR p.txid IN (' || string_agg(x::text, ', ') || ')' FROM txid_snapshot_xip(counted) AS x)) END;

COMMENT ON FUNCTION logintel._not_counted(txid_snapshot) IS 'SQL condition: the transaction of a prediction p is not seen by a snapshot.';

-- A snapshot takes its own transaction for ended as soon as a later one has. What that one writes after its roll-up would
-- pass for counted.
CREATE OR REPLACE FUNCTION logintel._ended_transactions(own_txid bigint) RETURNS txid_snapshot
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT CASE WHEN own_txid >= txid_snapshot_xmax(s.snapshot) THEN s.snapshot
                    ELSE format('%s:%s:%s', least(own_txid, txid_snapshot_xmin(s.snapshot)), txid_snapshot_xmax(s.snapshot),
                                (SELECT string_agg(i.txid::text, ',' ORDER BY i.txid)
                                 FROM (SELECT own_txid AS txid UNION SELECT txid_snapshot_xip(s.snapshot)) AS i))::txid_snapshot END
        FROM (SELECT txid_current_snapshot() AS snapshot) AS s);

COMMENT ON FUNCTION logintel._ended_transactions(bigint) IS 'The current snapshot, which takes the transaction that asks for one that goes on.';

CREATE OR REPLACE FUNCTION logintel._uncounted() RETURNS TABLE (hour timestamptz, score_id bigint, lines bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    counted txid_snapshot := (SELECT s.counted FROM logintel_internal.rollup_state s);
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT date_trunc(''hour'', p."timestamp", ''UTC''), p.score_id, count(*) FROM logintel_internal.predictions p WHERE %s GROUP BY 1, 2',
        logintel._not_counted(counted));
    -- What somebody wrote of a line that was changed meanwhile is outdated.
    IF EXISTS (SELECT FROM logintel_internal.pending q WHERE q.changed) THEN
        RETURN QUERY SELECT date_trunc('hour', p."timestamp", 'UTC'), p.score_id, -count(*)
            FROM logintel_internal.predictions p
                     WHERE p.log_entry_id IN (SELECT q.log_entry_id FROM logintel_internal.pending q WHERE q.changed)
                       AND (p.log_entry_id, logintel._attachment_of(p.score_id)) IN (
                           SELECT q.log_entry_id, q.attachment_id FROM logintel_internal.pending q WHERE q.changed)
                     GROUP BY 1, 2;
    END IF;
    RETURN QUERY SELECT r.hour, r.score_id, -sum(r.lines)::bigint FROM logintel_internal.removed_predictions r
                 WHERE txid_visible_in_snapshot(r.prediction_txid, counted) GROUP BY 1, 2;
END
$function$;

COMMENT ON FUNCTION logintel._uncounted() IS 'Predictions made and removed since the last roll-up, or outdated, by hour and score.';
