-- A prediction is never deleted without a note for the roll-up, which may have counted it.
CREATE OR REPLACE FUNCTION logintel._remove_predictions(attachment_id integer, log_entry_ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    removed bigint := 0;
BEGIN
    IF log_entry_ids <> '{}' THEN
        WITH removed AS (
            DELETE FROM logintel_internal.predictions p
            WHERE p.log_entry_id = ANY (log_entry_ids) AND logintel._attachment_of(p.score_id) = attachment_id
            RETURNING p.score_id, p."timestamp", p.txid),
        noted AS (
            INSERT INTO logintel_internal.removed_predictions (hour, score_id, prediction_txid, lines)
            SELECT date_trunc('hour', r."timestamp", 'UTC'), r.score_id, r.txid, count(*) FROM removed r GROUP BY 1, 2, 3)
        SELECT count(*) INTO removed FROM removed;
    END IF;
    RETURN removed;
END
$function$;

COMMENT ON FUNCTION logintel._remove_predictions(integer, bigint[]) IS 'Removes the predictions of these lines; returns how many.';

-- As the write path removes them: of lines whose times are known, it touches only the days that they are of. The query is
-- planned for these times, so it locks only the partitions that can have such predictions, however many days there are.
CREATE OR REPLACE FUNCTION logintel._remove_predictions(
    attachment_id integer, log_entry_ids bigint[], times timestamptz[], OUT removed_ids bigint[], OUT removed_times timestamptz[]
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    timeless bigint[];
    first_time timestamptz;
    last_time timestamptz;
BEGIN
    SELECT array_agg(k.id) FILTER (WHERE k."time" IS NULL), min(k."time"), max(k."time") INTO timeless, first_time, last_time
    FROM unnest(log_entry_ids, times) AS k (id, "time");
    IF first_time IS NOT NULL THEN
        EXECUTE $sql$
            WITH removed AS (
                DELETE FROM logintel_internal.predictions p USING unnest($1, $2) AS k (id, "time")
                WHERE p.log_entry_id = k.id AND p."timestamp" = k."time" AND p."timestamp" BETWEEN $3 AND $4
                  AND logintel._attachment_of(p.score_id) = $5
                RETURNING p.log_entry_id, p.score_id, p."timestamp", p.txid),
            noted AS (
                INSERT INTO logintel_internal.removed_predictions (hour, score_id, prediction_txid, lines)
                SELECT date_trunc('hour', r."timestamp", 'UTC'), r.score_id, r.txid, count(*) FROM removed r GROUP BY 1, 2, 3)
            SELECT array_agg(r.log_entry_id), array_agg(r."timestamp") FROM removed r
            $sql$ INTO removed_ids, removed_times USING log_entry_ids, times, first_time, last_time, attachment_id;
    END IF;
    IF timeless IS NOT NULL THEN
        WITH removed AS (
            DELETE FROM logintel_internal.predictions p
            WHERE p.log_entry_id = ANY (timeless) AND p."timestamp" = p.predicted_at
              AND logintel._attachment_of(p.score_id) = attachment_id
            RETURNING p.log_entry_id, p.score_id, p."timestamp", p.txid),
        noted AS (
            INSERT INTO logintel_internal.removed_predictions (hour, score_id, prediction_txid, lines)
            SELECT date_trunc('hour', r."timestamp", 'UTC'), r.score_id, r.txid, count(*) FROM removed r GROUP BY 1, 2, 3)
        SELECT removed_ids || array_agg(r.log_entry_id), removed_times || array_agg(NULL::timestamptz)
        INTO removed_ids, removed_times FROM removed r;
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._remove_predictions(integer, bigint[], timestamptz[]) IS 'Removes the predictions of lines with these keys and times, null for none; returns whose it found.';

-- A line that waits has no prediction, and needs none any more: it is taken from the queue. Where somebody else has it in
-- hand it is queued again, as changed, so that who writes never touches, and never waits for, a prediction that another
-- session is replacing; what was queued so stays, because it has to be taken after that session is done. A snapshot that is
-- older than the statement cannot tell whether somebody has: all are queued again.
--
-- A row trigger of the log table may change or delete a line before the statement that wrote it has told of it. Then each of
-- the two statements knows a part of what became of the line, and nobody knows what came first: it is queued as changed, so
-- that who takes it looks at the line as it is. Of a line that was just inserted nothing is found; of one that was just
-- changed the outer statement knows it by the mark that the inner one, which runs in a trigger, has left for it.
CREATE OR REPLACE FUNCTION logintel._forget_lines(
    attachment_id integer, log_entry_ids bigint[], times timestamptz[]
) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS
$function$
#variable_conflict use_column
DECLARE
    attached CONSTANT integer := attachment_id;
    here CONSTANT text := concat(statement_timestamp(), repeat('.', pg_trigger_depth()));
    changed_in CONSTANT text := current_setting('logintel.changed_in', true);
    kept bigint[] := '{}';
    unknown bigint[];
    ended_ids bigint[];
    ended_times timestamptz[];
    removed record;
BEGIN
    IF starts_with(changed_in, here || '.') THEN
        INSERT INTO logintel_internal.pending (attachment_id, log_entry_id, "timestamp", changed)
        SELECT attached, k.id, k."time", true FROM unnest(log_entry_ids, times) AS k (id, "time") WHERE k.id IS NOT NULL;
        RETURN log_entry_ids;
    ELSIF pg_trigger_depth() > 1 AND starts_with(changed_in, here) IS NOT TRUE THEN
        PERFORM set_config('logintel.changed_in', here, true);
    END IF;
    IF EXISTS (SELECT FROM logintel_internal.pending) THEN
        IF current_setting('transaction_isolation') = 'read committed' THEN
            WITH ended AS (
                DELETE FROM logintel_internal.pending WHERE ctid = ANY (ARRAY(
                    SELECT q.ctid FROM logintel_internal.pending q JOIN unnest(log_entry_ids, times) AS k (id, "time")
                        ON q.attachment_id = attached AND q.log_entry_id = k.id
                            AND q."timestamp" IS NOT DISTINCT FROM k."time" AND NOT q.changed
                    FOR UPDATE OF q SKIP LOCKED))
                RETURNING log_entry_id, "timestamp")
            SELECT array_agg(e.log_entry_id), array_agg(e."timestamp") INTO ended_ids, ended_times FROM ended e;
        END IF;
        WITH changed AS (
            INSERT INTO logintel_internal.pending (attachment_id, log_entry_id, "timestamp", changed)
            SELECT attached, k.id, k."time", true FROM unnest(log_entry_ids, times) AS k (id, "time")
            WHERE EXISTS (SELECT FROM logintel_internal.pending q
                          WHERE q.attachment_id = attached AND q.log_entry_id = k.id AND (q.changed OR q."timestamp" IS NOT DISTINCT FROM k."time"))
            RETURNING log_entry_id)
        SELECT coalesce(array_agg(c.log_entry_id), '{}') INTO kept FROM changed c;
    END IF;
    IF kept <> '{}' THEN
        SELECT array_agg(k.id), array_agg(k."time") INTO log_entry_ids, times
        FROM unnest(log_entry_ids, times) AS k (id, "time") WHERE k.id NOT IN (SELECT unnest(kept));
    END IF;
    removed := logintel._remove_predictions(attached, log_entry_ids, times);
    IF (log_entry_ids, times) = (ended_ids || removed.removed_ids, ended_times || removed.removed_times) THEN
        RETURN kept;  -- each was found once, as nearly always
    END IF;
    WITH unknown AS (
        INSERT INTO logintel_internal.pending (attachment_id, log_entry_id, "timestamp", changed)
        SELECT attached, l.id, l."time", true
        FROM (SELECT k.id, k."time", 1 AS lines FROM unnest(log_entry_ids, times) AS k (id, "time")
              UNION ALL
              SELECT f.id, f."time", -1
              FROM unnest(ended_ids || removed.removed_ids, ended_times || removed.removed_times) AS f (id, "time")
              WHERE f.id NOT IN (SELECT unnest(kept))) AS l
        WHERE l.id IS NOT NULL GROUP BY l.id, l."time" HAVING sum(l.lines) <> 0
        RETURNING log_entry_id)
    SELECT array_agg(u.log_entry_id) INTO unknown FROM unknown u;
    RETURN kept || unknown;
END
$function$;

COMMENT ON FUNCTION logintel._forget_lines(integer, bigint[], timestamptz[]) IS 'Forgets lines that were changed or deleted: they wait no more and have no prediction. Returns the keys of those that are queued again, because others have them in hand or a statement that is not over yet wrote them.';

-- Where other tables are attached, their writers are not kept waiting: predictions are deleted row by row, and the
-- roll-up takes them off the counts. What a snapshot that is older does not see is left to who compares lines next.
CREATE OR REPLACE FUNCTION logintel._remove_all_predictions(attachment_id integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    removed bigint;
BEGIN
    WITH removed AS (
        DELETE FROM logintel_internal.predictions p WHERE logintel._attachment_of(p.score_id) = $1
        RETURNING p.score_id, p."timestamp", p.txid),
    noted AS (
        INSERT INTO logintel_internal.removed_predictions (hour, score_id, prediction_txid, lines)
        SELECT date_trunc('hour', r."timestamp", 'UTC'), r.score_id, r.txid, count(*) FROM removed r GROUP BY 1, 2, 3)
    SELECT count(*) INTO removed FROM removed;
    DELETE FROM logintel_internal.pending q WHERE q.attachment_id = $1;
    RETURN removed;
END
$function$;

COMMENT ON FUNCTION logintel._remove_all_predictions(integer) IS 'Removes all predictions of the lines of one log table, and those that wait.';

CREATE OR REPLACE FUNCTION logintel._on_lines_forgotten_051_predictions(subject bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF logintel._is_only_attachment(subject::integer) THEN
        TRUNCATE logintel_internal.predictions, logintel_internal.pending, logintel_internal.removed_predictions;
        RETURN;
    END IF;
    PERFORM logintel._remove_all_predictions(subject::integer);
    INSERT INTO logintel_internal.truncations (attachment_id)
    SELECT subject WHERE current_setting('transaction_isolation') IN ('repeatable read', 'serializable');
END
$function$;

COMMENT ON FUNCTION logintel._on_lines_forgotten_051_predictions(bigint) IS 'Removes all predictions when all lines of an attachment are gone.';

CREATE OR REPLACE FUNCTION logintel._on_day_dropped_051_predictions(subject bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    DELETE FROM logintel_internal.removed_predictions r USING logintel._day_hours(subject) d
    WHERE r.hour >= d.from_hour AND r.hour < d.to_hour;
$function$;

COMMENT ON FUNCTION logintel._on_day_dropped_051_predictions(bigint) IS 'Forgets which predictions of a dropped day were removed before.';
