-- The lines of committed transactions that wait for a prediction, scored by key. Used by backfill(), predict_log() and,
-- with the models run outside the server, by the worker. Errors are the caller's to see: nobody's insert depends on this.
-- What they have in common with the write path is in 22_look_up.sql.
CREATE OR REPLACE FUNCTION logintel._require_model_set() RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    active integer := logintel._set_in_force();
BEGIN
    IF active IS NULL THEN
        RAISE EXCEPTION 'no model is deployed' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Train one with "logintel train --deploy", or run SELECT logintel.deploy(name).';
    END IF;
    RETURN active;
END
$function$;

COMMENT ON FUNCTION logintel._require_model_set() IS 'The model set in force; an error without one.';

-- Who takes a waiting line has it until the end of the transaction; others skip it. It is taken with all that was queued for
-- its key. A line that is queued again while somebody has it in hand is taken when that is done, so two never write the
-- prediction of one line.
CREATE OR REPLACE FUNCTION logintel._take_pending(
    attachment_id integer, max_lines integer, since timestamptz DEFAULT NULL
) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
#variable_conflict use_column
DECLARE
    attached CONSTANT integer := attachment_id;
    taken bigint[];
    recent bigint[];
BEGIN
    PERFORM logintel._require_model_set();
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'pending lines are scored at the isolation level read committed, not %', current_setting('transaction_isolation')
            USING ERRCODE = 'active_sql_transaction', HINT = 'Run it in a transaction of its own.';
    END IF;
    PERFORM logintel._reconcile_if_new(attached);
    IF since IS NOT NULL THEN
        recent := ARRAY(SELECT l.id FROM logintel._fetched_lines(attached, ARRAY(
                            SELECT DISTINCT q.log_entry_id FROM logintel_internal.pending q
                                WHERE q.attachment_id = attached)) l
                        WHERE l."timestamp" >= since);
    END IF;
    WITH next AS MATERIALIZED (
        SELECT q.id, q.log_entry_id FROM logintel_internal.pending q
        WHERE q.attachment_id = attached
          AND NOT EXISTS (SELECT FROM logintel_internal.pending f
                          WHERE f.attachment_id = attached AND f.log_entry_id = q.log_entry_id AND f.id < q.id)
          AND (since IS NULL OR q.log_entry_id IN (SELECT unnest(recent)))
        ORDER BY q.id LIMIT max_lines FOR UPDATE SKIP LOCKED),
    others AS MATERIALIZED (
        SELECT q.id FROM logintel_internal.pending q
        WHERE q.attachment_id = attached AND q.log_entry_id IN (SELECT n.log_entry_id FROM next n)
        FOR UPDATE SKIP LOCKED),
    removed AS (
        DELETE FROM logintel_internal.pending q USING others o WHERE q.id = o.id)
    SELECT coalesce(array_agg(DISTINCT n.log_entry_id), '{}') INTO taken FROM next n;
    RETURN taken;
END
$function$;

COMMENT ON FUNCTION logintel._take_pending(integer, integer, timestamptz) IS 'Takes up to max_lines waiting lines out of the queue, oldest first, for _score_taken() in the same transaction; returns their keys.';

-- Lines are scored by the key, and two may have one. Another one that was queued since is scored as well, so it waits no
-- more. Where a session that is not done yet has another one in hand, all with that key wait until it is.
CREATE OR REPLACE FUNCTION logintel._take_again(attachment_id integer, log_entry_ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS
$function$
#variable_conflict use_column
DECLARE
    attached CONSTANT integer := attachment_id;
    busy bigint[];
BEGIN
    DELETE FROM logintel_internal.pending WHERE ctid = ANY (ARRAY(
        SELECT q.ctid FROM logintel_internal.pending q
        WHERE q.attachment_id = attached AND q.log_entry_id = ANY (log_entry_ids) FOR UPDATE SKIP LOCKED));
    busy := ARRAY(SELECT DISTINCT q.log_entry_id FROM logintel_internal.pending q
                  WHERE q.attachment_id = attached AND q.log_entry_id = ANY (log_entry_ids));
    IF busy = '{}' THEN
        RETURN log_entry_ids;
    END IF;
    INSERT INTO logintel_internal.pending (attachment_id, log_entry_id, changed) SELECT attached, b, true
        FROM unnest(busy) AS b;
    RETURN ARRAY(SELECT k FROM unnest(log_entry_ids) AS k WHERE k <> ALL (busy));
END
$function$;

COMMENT ON FUNCTION logintel._take_again(integer, bigint[]) IS 'Takes out of the queue what was queued for keys that the session has in hand; returns those that nobody else has in hand, too.';

CREATE OR REPLACE FUNCTION logintel._lines(attachment_id integer, log_entry_ids bigint[]) RETURNS logintel._line[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    SELECT array_agg(ROW(t.id, logintel._line_time(t."timestamp"),
                         logintel._shape_hash(t.message, t.service, t.source_type, t.level, t.http_status, t.response_time_ms,
                                              logintel._shape_seed($1)),
                         logintel._shape(t.message, t.service, t.source_type, t.level, t.http_status, t.response_time_ms),
                         $1)::logintel._line)
    FROM logintel._fetched_lines($1, $2) t;
$function$;

COMMENT ON FUNCTION logintel._lines(integer, bigint[]) IS 'The lines with these keys that are still there.';

CREATE OR REPLACE FUNCTION logintel._unknown_shapes(attachment_id integer, log_entry_ids bigint[]) RETURNS TABLE (
    model_set_id integer, shape_hash bigint, template text, service text, source_type text, level text,
    status_class text, latency_bucket text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off AS
$function$
BEGIN
    PERFORM logintel._require_model_set();
    RETURN QUERY SELECT u.model_set_id, u.shape_hash, (u.shape).*
        FROM logintel._new_shapes(logintel._lines(attachment_id, log_entry_ids), (SELECT v FROM logintel._serving() v)) u;
END
$function$;

COMMENT ON FUNCTION logintel._unknown_shapes(integer, bigint[]) IS 'Shapes of these lines that the model set which serves them has no score for, set by set: the one in force, or that of the challenger in a split test.';

-- What comes from outside the server is read by views as what was computed inside is.
CREATE OR REPLACE FUNCTION logintel._fault_of_scores(model_set_id integer, shapes logintel._shapes, scores logintel._scores)
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT CASE
        WHEN NOT coalesce(n.number = ALL (ARRAY[
                 cardinality((shapes).shape_hash), cardinality((shapes).service), cardinality((shapes).source_type),
                 cardinality((shapes).level), cardinality((shapes).status_class), cardinality((shapes).latency_bucket),
                 coalesce(cardinality((scores).predicted_level), n.number), coalesce(cardinality((scores).level_confidence), n.number),
                 coalesce(cardinality((scores).level_probabilities) / 5, n.number), coalesce(cardinality((scores).category), n.number),
                 coalesce(cardinality((scores).category_confidence), n.number), coalesce(cardinality((scores).labels), n.number),
                 coalesce(cardinality((scores).anomaly_score), n.number), coalesce(cardinality((scores).anomaly_type), n.number),
                 coalesce(cardinality((scores).unknown_words), n.number), coalesce(cardinality((scores).is_new_template), n.number)]), false)
            THEN 'not one score for each shape'
        WHEN EXISTS (SELECT FROM unnest((scores).level_confidence || (scores).category_confidence || (scores).anomaly_score
                                        || (scores).unknown_words || (scores).level_probabilities) AS v
                     WHERE (v BETWEEN -1e-6 AND 1 + 1e-6) IS NOT TRUE)
            THEN 'a number that is no probability'
        WHEN EXISTS (SELECT FROM unnest((scores).predicted_level) AS l WHERE l NOT IN (SELECT v.level FROM logintel_internal.levels v))
             OR EXISTS (SELECT FROM unnest((scores).category) AS c
                        WHERE NOT EXISTS (SELECT FROM logintel_internal.model_sets s JOIN logintel_internal.models m ON m.id = ANY (s.model_ids)
                                          WHERE s.id = $1 AND m.name = 'category' AND m.metadata -> 'classes' ? c))
            THEN 'a label that is no class of the models'
        WHEN (shapes).attachment_id IS NULL THEN 'no attachment'
        WHEN NOT coalesce((scores).latency_us BETWEEN 0 AND 1e12, false) THEN 'no latency' END
    FROM (SELECT cardinality((shapes).template) AS number) AS n);

COMMENT ON FUNCTION logintel._fault_of_scores(integer, logintel._shapes, logintel._scores) IS 'What views could not read in scores of shapes, null for nothing.';

CREATE OR REPLACE FUNCTION logintel._remember_scores(model_set_id integer, shapes jsonb, scores jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    scored logintel._shapes := jsonb_populate_record(NULL::logintel._shapes, shapes);
    said logintel._scores := jsonb_populate_record(NULL::logintel._scores, scores);
    fault text := logintel._fault_of_scores(model_set_id, scored, said);
BEGIN
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'scores of model set % hold %', model_set_id, fault
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Install the client of this release and start "logintel worker" again.';
    END IF;
    PERFORM logintel._append_scores(model_set_id, scored, said, false, true);
END
$function$;

COMMENT ON FUNCTION logintel._remember_scores(integer, jsonb, jsonb) IS 'Remembers what a model set says of shapes, scored outside the server: shapes and scores are objects of columns.';

CREATE OR REPLACE FUNCTION logintel._queue_again(lines logintel._line[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    INSERT INTO logintel_internal.pending (attachment_id, log_entry_id, "timestamp")
    SELECT l.attachment_id, l.id, l."timestamp" FROM unnest(lines) AS l;
    RETURN cardinality(lines);
END
$function$;

COMMENT ON FUNCTION logintel._queue_again(logintel._line[]) IS 'Lets these lines wait; returns how many they are.';

-- Of keys with one line, what others have predicted is not looked for: while a line is in hand nobody predicts it.
CREATE OR REPLACE FUNCTION logintel._keys_of_others(lines logintel._line[]) RETURNS bigint[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off
AS $function$
    SELECT array_agg(o.id)
    FROM (SELECT q.log_entry_id AS id FROM logintel_internal.pending q
          WHERE q.attachment_id = ($1[1]).attachment_id AND q.log_entry_id = ANY (ARRAY(SELECT l.id FROM unnest($1) AS l))
          UNION
          SELECT p.log_entry_id FROM logintel_internal.predictions p
          WHERE p.log_entry_id = ANY (ARRAY(SELECT l.id FROM unnest($1) AS l GROUP BY l.id HAVING count(*) > 1))
            AND logintel._attachment_of(p.score_id) = ($1[1]).attachment_id) AS o;
$function$;

COMMENT ON FUNCTION logintel._keys_of_others(logintel._line[]) IS 'The keys of these lines that wait or have a prediction, null for none.';

-- Lines that are gone by now get no prediction, and lose the one they may have. Another line of a key may be written
-- meanwhile, with a prediction of its own. So what is predicted goes first, which may wait for a session that deletes
-- such a line, and the lines are read after that. What is predicted or waits by then, seen by the snapshot that sees
-- the lines, others have written: lines with that key wait until all of them are scored together.
--
-- Nor does a prediction outlive its attachment: who ends that waits from here on until this is committed.
CREATE OR REPLACE FUNCTION logintel._lines_to_score(attachment_id integer, log_entry_ids bigint[])
RETURNS logintel._line[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    attached CONSTANT integer := attachment_id;
    lines logintel._line[];
    others bigint[];
BEGIN
    log_entry_ids := logintel._take_again(attached, log_entry_ids);
    PERFORM logintel._remove_predictions(attached, log_entry_ids);
    SELECT r.lines, logintel._keys_of_others(r.lines) INTO lines, others
    FROM (SELECT logintel._lines(attached, log_entry_ids) AS lines OFFSET 0) AS r;
    PERFORM FROM logintel_internal.attachments a WHERE a.id = attached FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN '{}';
    ELSIF others IS NULL THEN
        RETURN lines;
    END IF;
    INSERT INTO logintel_internal.pending (attachment_id, log_entry_id, changed)
    SELECT attached, o, true FROM unnest(others) AS o;
    RETURN ARRAY(SELECT l FROM unnest(lines) AS l WHERE l.id <> ALL (others));
END
$function$;

COMMENT ON FUNCTION logintel._lines_to_score(integer, bigint[]) IS 'Removes what is predicted of lines that the session has in hand; returns those to be scored now.';

CREATE OR REPLACE FUNCTION logintel._score_taken(attachment_id integer, log_entry_ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    lines logintel._line[];
BEGIN
    PERFORM logintel._require_model_set();
    lines := logintel._lines_to_score(attachment_id, log_entry_ids);
    RETURN coalesce(cardinality(lines), 0) - logintel._queue_again(logintel._write_predictions(
        lines, (SELECT v FROM logintel._serving() v)));
END
$function$;

COMMENT ON FUNCTION logintel._score_taken(integer, bigint[]) IS 'Writes the predictions of lines that _take_pending() gave and whose shapes are known; a line of a shape still unknown waits again. Returns how many.';

CREATE OR REPLACE FUNCTION logintel._score_lines(attachment_id integer, log_entry_ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    serving logintel_internal.serving := (SELECT v FROM logintel._serving() v);
    lines logintel._line[];
    batch record;
BEGIN
    PERFORM logintel._require_model_set();
    lines := logintel._lines_to_score(attachment_id, log_entry_ids);
    FOR batch IN SELECT b.* FROM logintel._unknown_batches(lines, serving, false) b LOOP
        PERFORM logintel._score_and_remember(batch.model_set_id, batch.shapes, canonical => false, at_write => true);
    END LOOP;
    RETURN coalesce(cardinality(lines), 0) - logintel._queue_again(logintel._write_predictions(lines, serving));
END
$function$;

COMMENT ON FUNCTION logintel._score_lines(integer, bigint[]) IS 'Scores the lines with these keys in the server; returns how many.';
