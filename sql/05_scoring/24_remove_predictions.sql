-- A prediction is never deleted without a note for the roll-up, which may have counted it.
CREATE OR REPLACE FUNCTION logintel._remove_predictions(log_entry_ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    removed bigint := 0;
BEGIN
    IF log_entry_ids <> '{}' THEN
        WITH removed AS (
            DELETE FROM logintel.predictions p WHERE p.log_entry_id = ANY (log_entry_ids)
            RETURNING p.score_id, p."timestamp", p.txid),
        noted AS (
            INSERT INTO logintel.removed_predictions (hour, score_id, prediction_txid, lines)
            SELECT date_trunc('hour', r."timestamp", 'UTC'), r.score_id, r.txid, count(*) FROM removed r GROUP BY 1, 2, 3)
        SELECT count(*) INTO removed FROM removed;
    END IF;
    RETURN removed;
END
$function$;

COMMENT ON FUNCTION logintel._remove_predictions(bigint[]) IS 'Removes the predictions of these lines; returns how many.';

CREATE OR REPLACE FUNCTION logintel._forget_all_lines() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    TRUNCATE logintel.predictions, logintel.pending, logintel.removed_predictions, logintel.hourly_counts, logintel.score_totals;
    UPDATE logintel.rollup_state SET counted = NULL, counted_at = NULL;
    SELECT logintel._announce('lines_forgotten', 0);
    UPDATE logintel.feedback SET log_entry_id = NULL WHERE log_entry_id IS NOT NULL;
$function$;

COMMENT ON FUNCTION logintel._forget_all_lines() IS 'Removes all predictions and their counts; verdicts stay, of lines that are gone.';
