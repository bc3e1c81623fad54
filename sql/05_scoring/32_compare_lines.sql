-- A table that was truncated may have given its keys anew, to lines of the same times: what a truncation left stands
-- beside their own predictions then, and all are made again.
CREATE OR REPLACE FUNCTION logintel._doubt_keys_given_anew(attachment_id integer) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    INSERT INTO logintel_internal.pending (attachment_id, log_entry_id, changed)
    SELECT $1, t.id, true
    FROM (SELECT k.id, count(*) AS told
          FROM (SELECT p.log_entry_id FROM logintel_internal.predictions p
              WHERE logintel._attachment_of(p.score_id) = $1
                UNION ALL SELECT q.log_entry_id FROM logintel_internal.pending q WHERE q.attachment_id = $1) AS k (id)
          GROUP BY k.id HAVING count(*) > 1) AS t
    JOIN (SELECT l.id, count(*) AS lines FROM logintel._fetched_keys($1) l GROUP BY l.id) AS l ON l.id = t.id
    WHERE t.told > l.lines;
$function$;

COMMENT ON FUNCTION logintel._doubt_keys_given_anew(integer) IS 'Queues lines whose keys have more predictions than lines.';

-- Compares a log table with its predictions in full: for lines from before the attachment, dropped partitions, and
-- writes that went around the triggers. Reads everything once, and is not in the way of writers.
CREATE OR REPLACE FUNCTION logintel._compare_lines(attached logintel_internal.attachments) RETURNS TABLE (task text,
    done bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    was_truncated boolean;
BEGIN
    PERFORM logintel._lock('lines');
    -- Those that are noted from here on may be of lines that are read below.
    DELETE FROM logintel_internal.truncations t WHERE t.attachment_id = attached.id;
    was_truncated := FOUND;
    task := 'predictions of vanished lines removed';
    done := logintel._remove_predictions(attached.id, ARRAY(
        SELECT p.log_entry_id FROM logintel_internal.predictions p
        WHERE logintel._attachment_of(p.score_id) = attached.id
          AND NOT EXISTS (SELECT FROM logintel._fetched_keys(attached.id) l
                          WHERE l.id = p.log_entry_id AND logintel._is_time_of(l."timestamp", p."timestamp",
                              p.predicted_at))));
    RETURN NEXT;
    task := 'lines without a prediction queued';
    INSERT INTO logintel_internal.pending (attachment_id, log_entry_id, "timestamp")
    SELECT attached.id, l.id, logintel._line_time(l."timestamp") FROM logintel._fetched_keys(attached.id) l
    WHERE NOT EXISTS (SELECT FROM logintel_internal.predictions p
                      WHERE logintel._attachment_of(p.score_id) = attached.id
                        AND p.log_entry_id = l.id AND logintel._is_time_of(l."timestamp", p."timestamp",
                          p.predicted_at))
      AND NOT EXISTS (SELECT FROM logintel_internal.pending q
                      WHERE q.attachment_id = attached.id
                        AND q.log_entry_id = l.id AND q."timestamp" IS NOT DISTINCT
                          FROM logintel._line_time(l."timestamp"))
      AND l.id IS NOT NULL;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF was_truncated THEN
        PERFORM logintel._doubt_keys_given_anew(attached.id);
    END IF;
    RETURN NEXT;
    task := 'lines that wait for nothing taken from the queue';
    -- What was queued as changed after a row that somebody has in hand has to be taken after it. Another line may have
    -- the key of one that is gone.
    WITH gone AS MATERIALIZED (
        SELECT w.id, w.log_entry_id FROM logintel_internal.pending w
        WHERE w.attachment_id = attached.id AND NOT EXISTS (
                          SELECT FROM logintel._fetched_keys(attached.id) l
                          WHERE l.id = w.log_entry_id AND (w.changed OR w."timestamp" IS NOT DISTINCT
                              FROM logintel._line_time(l."timestamp")))
        FOR UPDATE SKIP LOCKED)
    DELETE FROM logintel_internal.pending q USING gone g
    WHERE q.id = g.id AND (NOT q.changed OR NOT EXISTS (
        SELECT FROM logintel_internal.pending f
        WHERE f.attachment_id = attached.id AND f.log_entry_id = g.log_entry_id AND f.id < g.id
          AND f.id NOT IN (SELECT o.id FROM gone o)));
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN NEXT;
    UPDATE logintel_internal.attachments a SET reconciled_tables = logintel._log_table_oids(a.log_table)
    WHERE a.id = attached.id;
END
$function$;

COMMENT ON FUNCTION logintel._compare_lines(logintel_internal.attachments) IS 'Compares all lines of a log table with their predictions: removes those of vanished lines, and queues lines that have none.';

CREATE OR REPLACE FUNCTION logintel._is_to_compare(attachment_id integer) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM logintel_internal.attachments a WHERE a.id = $1 AND a.reconciled_tables IS NULL)
    OR EXISTS (SELECT FROM logintel_internal.truncations t WHERE t.attachment_id = $1);

COMMENT ON FUNCTION logintel._is_to_compare(integer) IS 'Whether lines and predictions of a log table have to be compared: nobody has yet, or a truncation may have left predictions.';

-- Lines from before the attachment are queued by the first who looks for work, who also finds what a truncation left.
CREATE OR REPLACE FUNCTION logintel._reconcile_if_new(attachment_id integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF logintel._is_to_compare($1) THEN
        PERFORM logintel._lock('lines');
        PERFORM logintel._compare_lines(a) FROM logintel_internal.attachments a
        WHERE a.id = $1 AND logintel._is_to_compare(a.id);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._reconcile_if_new(integer) IS 'Compares lines and predictions of a log table where nobody has since the attachment, or since a truncation that left some.';

-- What a snapshot that was older than the end of an attachment did not see.
CREATE OR REPLACE FUNCTION logintel._remove_lines_of_ended_attachments() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    ended integer[] := ARRAY(
        SELECT t.attachment_id FROM logintel_internal.truncations t
        WHERE NOT EXISTS (SELECT FROM logintel_internal.attachments a WHERE a.id = t.attachment_id));
BEGIN
    DELETE FROM logintel_internal.truncations t WHERE t.attachment_id = ANY (ended);
    RETURN (SELECT coalesce(sum(logintel._remove_all_predictions(e)), 0) FROM unnest(ended) AS e);
END
$function$;

COMMENT ON FUNCTION logintel._remove_lines_of_ended_attachments() IS 'Removes predictions of log tables that were detached or dropped by a transaction that did not see them.';

-- What keeps one table from being compared keeps no other one.
CREATE OR REPLACE FUNCTION logintel._compare_tables(
    only_changed boolean, OUT removed bigint, OUT queued bigint, OUT ended bigint, OUT failure text, OUT state text,
    OUT hint text
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    attached logintel_internal.attachments;
    did bigint[];
BEGIN
    removed := logintel._remove_lines_of_ended_attachments();
    queued := 0;
    ended := 0;
    FOREACH attached IN ARRAY ARRAY(SELECT a FROM logintel_internal.attachments a ORDER BY a.id) LOOP
        CONTINUE WHEN only_changed AND attached.reconciled_tables = logintel._log_table_oids(attached.log_table)
            AND NOT logintel._is_to_compare(attached.id);
        BEGIN
            did := ARRAY(SELECT c.done FROM logintel._compare_lines(attached) c);
            removed := removed + did[1];
            queued := queued + did[2];
            ended := ended + did[3];
        EXCEPTION WHEN OTHERS THEN
            IF logintel._is_only_attachment(attached.id) THEN
                RAISE;
            END IF;
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, hint = PG_EXCEPTION_HINT;
            hint := coalesce(nullif(hint, ''), 'Run SELECT * FROM logintel.doctor(): it tells what is wrong.');
            failure := concat_ws('; ', failure, format('%s: %s', attached.log_table, SQLERRM));
        END;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._compare_tables(boolean) IS 'Compares lines and predictions of all log tables, or of those only where they have to be; tells what was done, and what kept a table from being compared.';
