-- Counts everything afresh and corrects what differs, so that whoever reads the changes of counts reads nothing twice.
CREATE OR REPLACE FUNCTION logintel._correct_counts() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    counted txid_snapshot := (SELECT s.counted FROM logintel_internal.rollup_state s);
    corrected bigint;
BEGIN
    WITH rows AS (
        SELECT date_trunc('hour', p."timestamp", 'UTC') AS hour, p.score_id, 1 AS lines
            FROM logintel_internal.predictions p
        WHERE txid_visible_in_snapshot(p.txid, counted)
        UNION ALL
        SELECT r.hour, r.score_id, r.lines FROM logintel_internal.removed_predictions r
        WHERE txid_visible_in_snapshot(r.prediction_txid, counted)
        UNION ALL
        SELECT h.hour, h.score_id, -h.lines FROM logintel_internal.hourly_counts h),
    wrong AS MATERIALIZED (
        SELECT r.hour, r.score_id, sum(r.lines)::bigint AS lines FROM rows r GROUP BY 1, 2 HAVING sum(r.lines) <> 0),
    hours AS (
        INSERT INTO logintel_internal.hourly_counts AS h (hour, score_id, lines) SELECT w.hour, w.score_id, w.lines
            FROM wrong w
        ON CONFLICT (hour, score_id) DO UPDATE
        SET lines = h.lines + excluded.lines, first_at = excluded.first_at, last_at = excluded.last_at),  -- any time of the hour
    logged AS (
        INSERT INTO logintel_internal.count_changes (hour, score_id, lines, is_new, is_recount)
        SELECT w.hour, w.score_id, w.lines,
               row_number() OVER (PARTITION BY w.score_id ORDER BY w.hour) = 1
                   AND NOT EXISTS (SELECT FROM logintel_internal.score_totals t WHERE t.score_id = w.score_id),
               false
        FROM wrong w)
    SELECT count(*) INTO corrected FROM wrong;
    DELETE FROM logintel_internal.hourly_counts h WHERE h.lines = 0;
    INSERT INTO logintel_internal.score_totals AS t (score_id, lines)
    SELECT h.score_id, sum(h.lines) FROM logintel_internal.hourly_counts h GROUP BY 1
    ON CONFLICT (score_id) DO UPDATE SET lines = excluded.lines WHERE t.lines <> excluded.lines;
    UPDATE logintel_internal.score_totals t SET lines = 0
    WHERE t.lines <> 0 AND NOT EXISTS (SELECT FROM logintel_internal.hourly_counts h WHERE h.score_id = t.score_id);
    RETURN corrected;
END
$function$;

COMMENT ON FUNCTION logintel._correct_counts() IS 'Makes the counts what they have to be for what the last roll-up saw; returns how many were wrong.';

CREATE OR REPLACE FUNCTION logintel.reconcile() RETURNS TABLE (task text, done bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    compared record;
BEGIN
    PERFORM logintel._lock_counts();  -- before the lines, as in a maintain() inside one transaction
    compared := logintel._compare_tables(false);
    IF compared.failure IS NOT NULL THEN
        RAISE WARNING 'lines and predictions were not compared of %', compared.failure USING HINT = compared.hint;
    END IF;
    RETURN QUERY VALUES ('predictions of vanished lines removed', compared.removed),
                        ('lines without a prediction queued', compared.queued),
                        ('lines that wait for nothing taken from the queue', compared.ended);
    PERFORM logintel._roll_up();
    task := 'counts corrected';
    done := logintel._correct_counts();
    RETURN NEXT;
END
$function$;

COMMENT ON FUNCTION logintel.reconcile() IS 'Compares all lines with all predictions: removes those of vanished lines, queues lines that have none, and corrects counts that differ.';
