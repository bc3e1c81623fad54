-- The cold half of the write path: lines whose shapes are new, or were learned since the last upkeep. They wait already, and
-- come from a cursor in batches, so that a statement may insert any number. Models score the shapes that nobody knows; who
-- gets a prediction waits no more. Nothing in here refuses a line: what a model raises becomes a warning.
--
-- Nor does it take a statement beyond its time: half of the statement_timeout is the models', and what begins then has to
-- end in the rest of it. A session's first look at the models takes longer, and the first graph longer still.
CREATE OR REPLACE FUNCTION logintel._scoring_deadline() RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN least(statement_timestamp() + nullif(current_setting('statement_timeout')::interval, '0') / 2,
             now() + nullif(current_setting('transaction_timeout', true)::interval, '0') / 2,  -- since PostgreSQL 17
             'infinity');

COMMENT ON FUNCTION logintel._scoring_deadline() IS 'When the write path has to stop scoring, because a timeout of the session would end the statement.';

CREATE OR REPLACE FUNCTION logintel._has_time_to_score(deadline timestamptz) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN clock_timestamp() + CASE current_setting('logintel.has_scored', true) WHEN 'yes' THEN interval '10 ms'
                                                                              ELSE interval '100 ms' END < deadline;

COMMENT ON FUNCTION logintel._has_time_to_score(timestamptz) IS 'Whether there is time to begin scoring one more batch.';

CREATE OR REPLACE FUNCTION logintel._score_left_out(left_out refcursor, began timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    serving logintel_internal.serving := (SELECT v FROM logintel._serving() v);
    mode text := logintel._setting('mode');
    deadline timestamptz := logintel._scoring_deadline();
    lines logintel._line[];
    reason text := CASE WHEN serving IS NULL AND mode <> 'off' THEN 'no model is deployed' END;
    waiting bigint := 0;
BEGIN
    PERFORM set_config('logintel.left_out', '', true);
    LOOP
        FETCH left_out INTO lines;
        EXIT WHEN NOT FOUND;
        IF mode = 'inline' THEN
            reason := coalesce(logintel._try_to_score(lines, serving, deadline), reason);
        END IF;
        waiting := waiting + logintel._end_waiting(lines, serving, began);
    END LOOP;
    CLOSE left_out;
    IF waiting > 0 AND reason IS NOT NULL THEN
        PERFORM logintel._warn_pending(reason, waiting, serving.model_set_id);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._score_left_out(refcursor, timestamptz) IS 'Scores the lines that the hot path has left out and queued since then, or leaves them pending with a warning.';

-- Only these lines, not all with their keys: another line of a key may be of a shape still unknown, or another
-- session's. IS TRUE keeps the planner from joining them, which without statistics may be by a loop over all of them
-- for each row.
CREATE OR REPLACE FUNCTION logintel._end_waiting(lines logintel._line[], serving logintel_internal.serving,
    began timestamptz)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS
$function$
DECLARE
    keys bigint[] := ARRAY(SELECT l.id FROM unnest(lines) AS l);
    unknown logintel._line[] := logintel._write_predictions(lines, serving);
BEGIN
    DELETE FROM logintel_internal.pending q
    WHERE q.attachment_id = (lines[1]).attachment_id AND q.log_entry_id = ANY (keys) AND NOT q.changed
      AND q.queued_at >= began
      AND ((q.log_entry_id, coalesce(q."timestamp", 'infinity')) IN (
               SELECT l.id, coalesce(l."timestamp", 'infinity') FROM unnest(lines) AS l
               EXCEPT SELECT u.id, coalesce(u."timestamp", 'infinity') FROM unnest(unknown) AS u)) IS TRUE;
    RETURN cardinality(unknown);
END
$function$;

COMMENT ON FUNCTION logintel._end_waiting(logintel._line[], logintel_internal.serving, timestamptz) IS 'Writes the predictions of lines of known shapes, that wait since this statement began, no longer; returns how many go on waiting.';

-- Under SERIALIZABLE: these lines are not queued yet, and nothing is read that others write. So a shape that another session
-- has just learnt is scored once more, until the upkeep has published it.
CREATE OR REPLACE FUNCTION logintel._score_left_out_alone(left_out refcursor) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    serving logintel_internal.serving := (SELECT v FROM logintel._serving() v);
    is_inline boolean := logintel._setting('mode') = 'inline';
    deadline timestamptz := logintel._scoring_deadline();
    lines logintel._line[];
    learned record;
    waiting bigint;
BEGIN
    PERFORM set_config('logintel.left_out', '', true);
    LOOP
        FETCH left_out INTO lines;
        EXIT WHEN NOT FOUND;
        learned := logintel._learn_alone(CASE WHEN is_inline THEN lines END, serving, deadline);
        WITH scored AS MATERIALIZED (
            SELECT l.id, l."timestamp", s.score_id
            FROM unnest(lines) AS l
            LEFT JOIN unnest(learned.score_ids, learned.sets, learned.hashes) AS s (score_id, model_set_id, shape_hash)
                ON s.model_set_id = logintel._set_for(l.id, serving) AND s.shape_hash = l.shape_hash),
        predicted AS (
            INSERT INTO logintel_internal.predictions (log_entry_id, score_id, "timestamp")
            SELECT s.id, s.score_id, coalesce(s."timestamp", now()) FROM scored s WHERE s.score_id IS NOT NULL)
        INSERT INTO logintel_internal.pending (attachment_id, log_entry_id, "timestamp")
        SELECT (lines[1]).attachment_id, s.id, s."timestamp" FROM scored s WHERE s.score_id IS NULL;
        GET DIAGNOSTICS waiting = ROW_COUNT;
        PERFORM logintel._warn_pending(learned.reason, waiting, serving.model_set_id) WHERE waiting > 0 AND learned.reason IS NOT NULL;
    END LOOP;
    CLOSE left_out;
END
$function$;

COMMENT ON FUNCTION logintel._score_left_out_alone(refcursor) IS 'Scores the lines that the hot path has left out, or queues them, and looks at nothing that other sessions write.';

CREATE OR REPLACE FUNCTION logintel._learn_alone(
    lines logintel._line[], serving logintel_internal.serving, deadline timestamptz,
    OUT score_ids bigint[], OUT sets integer[], OUT hashes bigint[], OUT reason text
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    batch record;
    scores logintel._scores;
    learned record;
BEGIN
    FOR batch IN SELECT b.* FROM logintel._unknown_batches(lines, serving, true) b LOOP
        IF NOT logintel._has_time_to_score(deadline) THEN
            reason := 'a timeout of the session leaves no time to score them';
            RETURN;
        END IF;
        BEGIN
            scores := logintel._score_shapes(batch.model_set_id, batch.shapes);
            SELECT array_agg(a.score_id) AS ids, array_agg(batch.model_set_id) AS sets, array_agg(a.shape_hash) AS hashes INTO learned
            FROM logintel._append_scores(batch.model_set_id, batch.shapes, scores, false, true) a;
            score_ids := score_ids || learned.ids;
            sets := sets || learned.sets;
            hashes := hashes || learned.hashes;
            PERFORM set_config('logintel.has_scored', 'yes', false);
        EXCEPTION WHEN OTHERS THEN
            IF SQLSTATE = '40001' THEN
                RAISE;
            END IF;
            reason := SQLERRM;
        END;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._learn_alone(logintel._line[], logintel_internal.serving, timestamptz) IS 'Has the models score the shapes of lines, though others may have; returns the scores, and what failed.';

-- One subtransaction a batch: a challenger that fails leaves only its own lines, and what it raised takes nothing else
-- along.
CREATE OR REPLACE FUNCTION logintel._try_to_score(lines logintel._line[], serving logintel_internal.serving, deadline timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    batch record;
    reason text;
BEGIN
    FOR batch IN SELECT b.model_set_id, b.shapes FROM logintel._unknown_batches(lines, serving, false) b LOOP
        IF NOT logintel._has_time_to_score(deadline) THEN
            RETURN 'a timeout of the session leaves no time to score them';
        END IF;
        BEGIN
            PERFORM set_config('logintel.deadline', extract(epoch FROM nullif(deadline, 'infinity'))::text, true);
            PERFORM logintel._score_and_remember(batch.model_set_id, batch.shapes, canonical => false, at_write => true);
            PERFORM set_config('logintel.has_scored', 'yes', false);
        EXCEPTION WHEN OTHERS THEN
            IF SQLSTATE = '40001' THEN
                RAISE;  -- the transaction has to be retried, and only its owner can do that
            END IF;
            reason := SQLERRM;
        END;
        PERFORM set_config('logintel.deadline', '', true);
    END LOOP;
    RETURN reason;
END
$function$;

COMMENT ON FUNCTION logintel._try_to_score(logintel._line[], logintel_internal.serving, timestamptz) IS 'Has the models score the unknown shapes of lines; returns what failed, null where nothing did.';
