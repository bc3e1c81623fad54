-- The bodies of the functions behind the triggers: only what has to know the log table's columns. lines is where the lines
-- come from; id, "time" and fields read the key, the time and what _shape() takes from its row t.
--
-- The hot path is one INSERT: lines of shapes that the set in force knows get their score. It starts no Python, waits for
-- nobody, needs no subtransaction, and is the only query of the function where every shape is known: each further one
-- would cost a one-row insert almost as much. So the query itself notes whether it left lines out, in a setting of the
-- transaction; whoever sets that by hand merely sends his lines the long way round. For the same reason the set in force is
-- a number in the text. Where a snapshot doesn't see that set's scores yet, lines are left out, and the rest goes by the
-- row of serving that the snapshot sees. While a split test runs, the key of a line chooses one of two numbers; where the
-- snapshot doesn't see the test, the champion serves every line.
--
-- Its plan is the same whichever batch it was made for and with whatever statistics, on every version: a subquery with a
-- limit is never joined but by a nested loop, these functions switch sequential scans off, and both conditions are those of
-- one index. A statement with very many lines has a query of its own, which is never joined by a nested loop: hashing all
-- known shapes once costs less than looking each line up. Compiling is off: it takes longer than it saves. OFFSET 0 keeps
-- the planner from computing the hash more than once.
CREATE OR REPLACE FUNCTION logintel._hot_path(lines text, id text, "time" text, fields text, scorer text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format($hot_path$
    IF EXISTS (SELECT FROM %1$s OFFSET 9999) THEN
        nested_loops := current_setting('enable_nestloop');
        PERFORM set_config('enable_nestloop', 'off', true);
        INSERT INTO logintel.predictions (log_entry_id, score_id, "timestamp")
        SELECT l.id, s.id, l."timestamp"
        FROM (SELECT l.*, %2$s AS scorer FROM (%3$s) AS l) AS l
        LEFT JOIN logintel.scores s ON s.canonical AND s.model_set_id = l.scorer AND s.shape_hash = l.shape_hash
        WHERE %4$s;
        none_scored := NOT FOUND;
        PERFORM set_config('enable_nestloop', nested_loops, true);
    ELSE
        INSERT INTO logintel.predictions (log_entry_id, score_id, "timestamp")
        SELECT l.id, s.id, l."timestamp"
        FROM (%3$s) AS l
        LEFT JOIN LATERAL (
            SELECT s.id FROM logintel.scores s
            WHERE s.canonical AND s.model_set_id = %2$s AND s.shape_hash = l.shape_hash LIMIT 1) AS s ON true
        WHERE %4$s;
        none_scored := NOT FOUND;
    END IF;
    IF current_setting('logintel.left_out', true) IS DISTINCT FROM 'yes' THEN
        RETURN NULL;
    END IF;
$hot_path$, lines, scorer,
    format('SELECT %s AS id, %s AS "timestamp", logintel._shape_hash(%s) AS shape_hash FROM %s OFFSET 0', id, "time", fields, lines),
    $$CASE WHEN s.id IS NULL THEN set_config('logintel.left_out', 'yes', true) IS NULL ELSE true END$$);

COMMENT ON FUNCTION logintel._hot_path(text, text, text, text, text) IS 'The text that gives lines of known shapes their score; scorer is the SQL of the model set that serves the line l.';

-- The lines that the hot path left out are those without a prediction of this transaction, which carries its now() and so
-- differs from older ones of the same key. A subquery for each line keeps the planner from joining a large batch with all
-- predictions, and adding nothing to the time from walking through the index on it, where every row of this very statement
-- stands in the way.
CREATE OR REPLACE FUNCTION logintel._cold_path(lines text, id text, "time" text, fields text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format($cold_path$
    OPEN left_out FOR
        SELECT array_agg(ROW(l.id, l."timestamp", l.shape_hash, l.shape)::logintel._line)
        FROM (SELECT %2$s AS id, %3$s AS "timestamp", logintel._shape_hash(%4$s) AS shape_hash,
                     logintel._shape(%4$s) AS shape, row_number() OVER () AS number
              FROM %1$s
              WHERE none_scored OR (SELECT max(p.predicted_at + interval '0') FROM logintel.predictions p
                                    WHERE p.log_entry_id = %2$s AND p."timestamp" = %3$s) IS DISTINCT FROM now()
              OFFSET 0) AS l
        GROUP BY l.number / 4096;
    PERFORM logintel._score_left_out(left_out);
$cold_path$, lines, id, "time", fields);

COMMENT ON FUNCTION logintel._cold_path(text, text, text, text) IS 'The text that hands on the lines that the hot path left out, in batches.';

-- While nothing scores lines, because nothing is deployed or by the mode, they only wait.
CREATE OR REPLACE FUNCTION logintel._waiting_path(lines text, id text, reason text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format($waiting_path$
    INSERT INTO logintel.pending (log_entry_id) SELECT %2$s FROM %1$s;
    GET DIAGNOSTICS waiting = ROW_COUNT;
    IF waiting > 0 AND %3$L IS NOT NULL THEN
        PERFORM logintel._warn_pending(%3$L, waiting, NULL);
    END IF;
$waiting_path$, lines, id, reason);

COMMENT ON FUNCTION logintel._waiting_path(text, text, text) IS 'The text that leaves lines pending, with a warning where there is a reason to give.';

-- A line that waits may be in a worker's hands: it is queued again and all of it is left to the queue, so that who writes
-- never touches, and never waits for, a prediction that somebody else is replacing. keys is a query for keys of lines.
CREATE OR REPLACE FUNCTION logintel._forget_path(keys text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format($forget_path$
    INSERT INTO logintel.pending (log_entry_id)
    SELECT c.id FROM (%1$s) c WHERE EXISTS (SELECT FROM logintel.pending q WHERE q.log_entry_id = c.id);
    PERFORM logintel._remove_predictions(ARRAY(
        SELECT c.id FROM (%1$s) c WHERE NOT EXISTS (SELECT FROM logintel.pending q WHERE q.log_entry_id = c.id)));
$forget_path$, keys);

COMMENT ON FUNCTION logintel._forget_path(text) IS 'The text that takes the predictions of lines away, or queues those again that wait.';
