-- Compares the log table with the predictions in full: for lines from before the attachment, dropped partitions, and
-- writes that went around the triggers. Reads everything once, and is not in the way of writers.
CREATE OR REPLACE FUNCTION logintel._compare_lines() RETURNS TABLE (task text, done bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._lock('lines');
    task := 'predictions of vanished lines removed';
    done := logintel._remove_predictions(ARRAY(
        SELECT p.log_entry_id FROM logintel.predictions p
        WHERE NOT EXISTS (SELECT FROM logintel._fetched_keys() l
                          WHERE l.id = p.log_entry_id AND logintel._is_time_of(l."timestamp", p."timestamp",
                              p.predicted_at))));
    RETURN NEXT;
    task := 'lines without a prediction queued';
    INSERT INTO logintel.pending (log_entry_id, "timestamp")
    SELECT l.id, logintel._line_time(l."timestamp") FROM logintel._fetched_keys() l
    WHERE NOT EXISTS (SELECT FROM logintel.predictions p
                      WHERE p.log_entry_id = l.id AND logintel._is_time_of(l."timestamp", p."timestamp",
                          p.predicted_at))
      AND NOT EXISTS (SELECT FROM logintel.pending q
                      WHERE q.log_entry_id = l.id AND q."timestamp" IS NOT DISTINCT
                          FROM logintel._line_time(l."timestamp"))
      AND l.id IS NOT NULL;
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN NEXT;
    task := 'lines that wait for nothing taken from the queue';
    -- What was queued after a row that somebody has in hand has to be taken after it.
    WITH gone AS MATERIALIZED (
        SELECT w.id, w.log_entry_id FROM logintel.pending w
        WHERE NOT EXISTS (SELECT FROM logintel._fetched_keys() l WHERE l.id = w.log_entry_id)
        FOR UPDATE SKIP LOCKED)
    DELETE FROM logintel.pending q USING gone g
    WHERE q.id = g.id AND NOT EXISTS (SELECT FROM logintel.pending f WHERE f.log_entry_id = g.log_entry_id
        AND f.id < g.id
                                      AND f.id NOT IN (SELECT o.id FROM gone o));
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN NEXT;
    UPDATE logintel.attachments a SET reconciled_tables = logintel._log_table_oids();
END
$function$;

COMMENT ON FUNCTION logintel._compare_lines() IS 'Compares all lines with all predictions: removes those of vanished lines, and queues lines that have none.';

-- Lines from before the attachment are queued by the first who looks for work.
CREATE OR REPLACE FUNCTION logintel._reconcile_if_new() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF EXISTS (SELECT FROM logintel.attachments a WHERE a.reconciled_tables IS NULL) THEN
        PERFORM logintel._lock('lines');
        PERFORM logintel._compare_lines() FROM logintel.attachments a WHERE a.reconciled_tables IS NULL;
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._reconcile_if_new() IS 'Compares lines and predictions where nobody has since the attachment.';
