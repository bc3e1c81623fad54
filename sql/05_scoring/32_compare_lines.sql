-- A table that was truncated may have given its keys anew, to lines of the same times: what a truncation left stands
-- beside their own predictions then, and all are made again.
CREATE OR REPLACE FUNCTION logintel._doubt_keys_given_anew() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    INSERT INTO logintel_internal.pending (log_entry_id, changed)
    SELECT t.id, true
    FROM (SELECT k.id, count(*) AS told
          FROM (SELECT p.log_entry_id FROM logintel_internal.predictions p
                UNION ALL SELECT q.log_entry_id FROM logintel_internal.pending q) AS k (id)
          GROUP BY k.id HAVING count(*) > 1) AS t
    JOIN (SELECT l.id, count(*) AS lines FROM logintel._fetched_keys() l GROUP BY l.id) AS l ON l.id = t.id
    WHERE t.told > l.lines;
$function$;

COMMENT ON FUNCTION logintel._doubt_keys_given_anew() IS 'Queues lines whose keys have more predictions than lines.';

-- Compares the log table with the predictions in full: for lines from before the attachment, dropped partitions, and
-- writes that went around the triggers. Reads everything once, and is not in the way of writers.
CREATE OR REPLACE FUNCTION logintel._compare_lines() RETURNS TABLE (task text, done bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    was_truncated boolean;
BEGIN
    PERFORM logintel._lock('lines');
    DELETE FROM logintel_internal.truncations;  -- those that are noted from here on may be of lines that are read below
    was_truncated := FOUND;
    task := 'predictions of vanished lines removed';
    done := logintel._remove_predictions(ARRAY(
        SELECT p.log_entry_id FROM logintel_internal.predictions p
        WHERE NOT EXISTS (SELECT FROM logintel._fetched_keys() l
                          WHERE l.id = p.log_entry_id AND logintel._is_time_of(l."timestamp", p."timestamp",
                              p.predicted_at))));
    RETURN NEXT;
    task := 'lines without a prediction queued';
    INSERT INTO logintel_internal.pending (log_entry_id, "timestamp")
    SELECT l.id, logintel._line_time(l."timestamp") FROM logintel._fetched_keys() l
    WHERE NOT EXISTS (SELECT FROM logintel_internal.predictions p
                      WHERE p.log_entry_id = l.id AND logintel._is_time_of(l."timestamp", p."timestamp",
                          p.predicted_at))
      AND NOT EXISTS (SELECT FROM logintel_internal.pending q
                      WHERE q.log_entry_id = l.id AND q."timestamp" IS NOT DISTINCT
                          FROM logintel._line_time(l."timestamp"))
      AND l.id IS NOT NULL;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF was_truncated THEN
        PERFORM logintel._doubt_keys_given_anew();
    END IF;
    RETURN NEXT;
    task := 'lines that wait for nothing taken from the queue';
    -- What was queued as changed after a row that somebody has in hand has to be taken after it. Another line may have
    -- the key of one that is gone.
    WITH gone AS MATERIALIZED (
        SELECT w.id, w.log_entry_id FROM logintel_internal.pending w
        WHERE NOT EXISTS (SELECT FROM logintel._fetched_keys() l
                          WHERE l.id = w.log_entry_id AND (w.changed OR w."timestamp" IS NOT DISTINCT
                              FROM logintel._line_time(l."timestamp")))
        FOR UPDATE SKIP LOCKED)
    DELETE FROM logintel_internal.pending q USING gone g
    WHERE q.id = g.id AND (NOT q.changed OR NOT EXISTS (
        SELECT FROM logintel_internal.pending f
        WHERE f.log_entry_id = g.log_entry_id AND f.id < g.id AND f.id NOT IN (SELECT o.id FROM gone o)));
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN NEXT;
    UPDATE logintel_internal.attachments a SET reconciled_tables = logintel._log_table_oids();
END
$function$;

COMMENT ON FUNCTION logintel._compare_lines() IS 'Compares all lines with all predictions: removes those of vanished lines, and queues lines that have none.';

CREATE OR REPLACE FUNCTION logintel._is_to_compare() RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM logintel_internal.attachments a
               WHERE a.reconciled_tables IS NULL OR EXISTS (SELECT FROM logintel_internal.truncations));

COMMENT ON FUNCTION logintel._is_to_compare() IS 'Whether lines and predictions have to be compared: nobody has yet, or a truncation may have left predictions.';

-- Lines from before the attachment are queued by the first who looks for work, who also finds what a truncation left.
CREATE OR REPLACE FUNCTION logintel._reconcile_if_new() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF logintel._is_to_compare() THEN
        PERFORM logintel._lock('lines');
        PERFORM logintel._compare_lines() WHERE logintel._is_to_compare();
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._reconcile_if_new() IS 'Compares lines and predictions where nobody has since the attachment, or since a truncation that left some.';
