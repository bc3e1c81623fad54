-- The bodies of the functions behind the triggers: only what has to know the log table's columns. lines is a query in
-- brackets whose rows t have an id, a "timestamp" (null for none) and what _shape() takes. Only in there are the
-- columns of the log table in sight, and only by t: a column may be called what a variable is, and be of a type whose
-- operators are its owner's. A line without a key is nobody's: it gets no prediction and does not wait.
CREATE OR REPLACE FUNCTION logintel._seed_query(attachment_id integer) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format('(SELECT h.seed%s FROM logintel_internal.shape_seed h WHERE h.one_row)',
              ' # ' || nullif(attachment_id::bigint << 32, 0));

COMMENT ON FUNCTION logintel._seed_query(integer) IS 'The text that reads the secret of shapes by its key, which starts faster than any other way: what _shape_seed() says.';

CREATE OR REPLACE FUNCTION logintel._fields_of_shape() RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN 't.message, t.service, t.source_type, t.level, t.http_status, t.response_time_ms';

COMMENT ON FUNCTION logintel._fields_of_shape() IS 'The text that reads from a row t what _shape() takes.';

-- The hot path is one statement: lines of shapes that the set in force knows get their score, the others are queued. So
-- whatever happens afterwards, every line has a prediction or waits. It starts no Python, waits for nobody, and is the
-- only query of the function where every shape is known: each further one would cost a one-row insert almost as much.
-- So the query itself notes whether it left lines out, in a setting of the transaction; whoever sets that by hand
-- merely sends his lines the long way round. For the same reason the set in force is a number in the text. Where a
-- snapshot doesn't see that set's scores yet, lines are left out, and the rest goes by the row of serving that the
-- snapshot sees. While a split test runs, the key of a line chooses one of two numbers; where the snapshot doesn't see
-- the test, the champion serves every line. The secret seed is read in the query: as a constant of its plan, any writer
-- could have it printed.
--
-- Its plan is the same whichever batch it was made for and with whatever statistics, on every version: a subquery with
-- a limit is never joined but by a nested loop, these functions switch sequential scans off, and both conditions are
-- those of one index. A statement with very many lines has a query of its own, which is never joined by a nested loop:
-- hashing all known shapes once costs less than looking each line up. Nobody counts the lines of a statement that took
-- less time than so many need. Compiling is off: it takes longer than it saves. OFFSET 0 keeps the planner from
-- computing the hash more than once.
CREATE OR REPLACE FUNCTION logintel._hot_path(attachment_id integer, lines text, scorer text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format($hot_path$
    IF _logintel_began > statement_timestamp() + interval '5 ms' THEN
        _many := EXISTS (SELECT FROM %1$s t OFFSET 9999);
    END IF;
    IF _many THEN
        _nested_loops := current_setting('enable_nestloop');
        PERFORM set_config('enable_nestloop', 'off', true);
        WITH looked_up AS MATERIALIZED (
            SELECT l.id, l."timestamp", s.id AS score_id
            FROM (SELECT l.*, %2$s AS scorer FROM (%3$s) AS l) AS l
            LEFT JOIN logintel_internal.scores s ON s.canonical AND s.model_set_id = l.scorer
                AND s.shape_hash = l.shape_hash),
        %4$s;
        GET DIAGNOSTICS _scored = ROW_COUNT;
        PERFORM set_config('enable_nestloop', _nested_loops, true);
    ELSE
        WITH looked_up AS MATERIALIZED (
            SELECT l.id, l."timestamp", s.id AS score_id
            FROM (%3$s) AS l
            LEFT JOIN LATERAL (
                SELECT s.id FROM logintel_internal.scores s
                WHERE s.canonical AND s.model_set_id = %2$s AND s.shape_hash = l.shape_hash LIMIT 1) AS s ON true),
        %4$s;
        GET DIAGNOSTICS _scored = ROW_COUNT;
    END IF;
$hot_path$, lines, scorer,
    format('SELECT t.id, t."timestamp", logintel._shape_hash(%s, %s) AS shape_hash FROM %s t WHERE t.id IS NOT NULL OFFSET 0',
           logintel._fields_of_shape(), logintel._seed_query(attachment_id), lines),
    format($$left_out AS (
            INSERT INTO logintel_internal.pending (attachment_id, log_entry_id, "timestamp")
            SELECT %s, l.id, l."timestamp" FROM looked_up l
            WHERE CASE WHEN l.score_id IS NULL THEN set_config('logintel.left_out', 'yes', true) = 'yes'
                                                    AND current_setting('transaction_isolation') <> 'serializable' END)
        INSERT INTO logintel_internal.predictions (log_entry_id, score_id, "timestamp")
        SELECT l.id, l.score_id, coalesce(l."timestamp", now()) FROM looked_up l WHERE l.score_id IS NOT NULL$$, attachment_id));

COMMENT ON FUNCTION logintel._hot_path(integer, text, text) IS 'The text that gives lines of known shapes their score and queues the others; scorer is the SQL of the model set that serves the line l.';

CREATE OR REPLACE FUNCTION logintel._queue_path(attachment_id integer, lines text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format('INSERT INTO logintel_internal.pending (attachment_id, log_entry_id, "timestamp") '
              'SELECT %s, t.id, t."timestamp" FROM %s t WHERE t.id IS NOT NULL', attachment_id, lines);

COMMENT ON FUNCTION logintel._queue_path(integer, text) IS 'The statement that leaves lines pending.';

-- It needs no field but the key.
CREATE OR REPLACE FUNCTION logintel._queue_changed_path(attachment_id integer, lines text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format('INSERT INTO logintel_internal.pending (attachment_id, log_entry_id, changed) '
              'SELECT %s, t.id, true FROM %s t WHERE t.id IS NOT NULL', attachment_id, lines);

COMMENT ON FUNCTION logintel._queue_changed_path(integer, text) IS 'The statement that queues lines which may have an outdated prediction.';

-- The lines that the hot path left out are those that it has just queued. Where a line of a known shape has the key and
-- the time of one of them, all are queued as changed ones are: to be read and scored again by the key.
--
-- Under SERIALIZABLE whoever reads where others add rows fails with them: there, nothing is queued before, and one
-- snapshot says twice which lines are left out.
CREATE OR REPLACE FUNCTION logintel._cold_path(attachment_id integer, lines text, scorer text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format($cold_path$
    IF current_setting('logintel.left_out', true) = 'yes' THEN
        IF current_setting('transaction_isolation') = 'serializable' THEN
            OPEN _left_out FOR
                SELECT array_agg(ROW(l.id, l."timestamp", l.shape_hash, l.shape, %5$s)::logintel._line)
                FROM (SELECT t.id, t."timestamp", %2$s FROM %1$s t WHERE t.id IS NOT NULL OFFSET 0) AS l
                WHERE (SELECT s.id FROM logintel_internal.scores s
                       WHERE s.canonical AND s.model_set_id = %3$s AND s.shape_hash = l.shape_hash LIMIT 1) IS NULL
                GROUP BY l.number / 4096;
            PERFORM logintel._score_left_out_alone(_left_out);
            RETURN NULL;
        END IF;
        IF _scored > 0 AND EXISTS (SELECT FROM %1$s t WHERE t.id IS NOT NULL GROUP BY t.id, t."timestamp" HAVING count(*) > 1) THEN
            %4$s;
            PERFORM set_config('logintel.left_out', '', true);
            RETURN NULL;
        END IF;
        BEGIN
            OPEN _left_out FOR
                SELECT array_agg(ROW(l.id, l."timestamp", l.shape_hash, l.shape, %5$s)::logintel._line)
                FROM (SELECT t.id, t."timestamp", %2$s
                      FROM (SELECT * FROM %1$s t OFFSET 0) AS t
                      WHERE (SELECT q.id FROM logintel_internal.pending q
                             WHERE q.attachment_id = %5$s AND q.log_entry_id = t.id AND q."timestamp" IS NOT DISTINCT FROM t."timestamp"
                               AND NOT q.changed AND q.queued_at >= _logintel_began LIMIT 1) IS NOT NULL
                      OFFSET 0) AS l
                GROUP BY l.number / 4096;
            PERFORM logintel._score_left_out(_left_out, _logintel_began);
        EXCEPTION WHEN OTHERS THEN
            IF SQLSTATE = '40001' THEN
                RAISE;
            END IF;
            PERFORM logintel._warn_pending(SQLERRM, 0, NULL);
        END;
    END IF;
$cold_path$, lines,
    format('logintel._shape_hash(%1$s, %2$s) AS shape_hash, logintel._shape(%1$s) AS shape, row_number() OVER () AS number',
           logintel._fields_of_shape(), logintel._seed_query(attachment_id)),
    scorer, logintel._queue_changed_path(attachment_id, lines), attachment_id);

COMMENT ON FUNCTION logintel._cold_path(integer, text, text) IS 'The text that hands on the lines that the hot path left out, in batches.';

-- While nothing scores lines, because nothing is deployed or by the mode, they only wait.
CREATE OR REPLACE FUNCTION logintel._waiting_path(attachment_id integer, lines text, reason text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format($waiting_path$
    %1$s;
    GET DIAGNOSTICS _waiting = ROW_COUNT;
    IF _waiting > 0 AND %2$L IS NOT NULL THEN
        PERFORM logintel._warn_pending(%2$L, _waiting, NULL);
    END IF;
$waiting_path$, logintel._queue_path(attachment_id, lines), reason);

COMMENT ON FUNCTION logintel._waiting_path(integer, text, text) IS 'The text that leaves lines pending, with a warning where there is a reason to give.';

-- lines is a query for the key and the time of lines that were changed or deleted, as they were.
CREATE OR REPLACE FUNCTION logintel._forget_path(attachment_id integer, lines text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format($forget_path$
    SELECT count(*), array_agg(d.id), array_agg(d."timestamp") INTO _waiting, _ids, _times FROM (%1$s) d;
    IF _waiting = 0 THEN
        RETURN NULL;
    END IF;
    _kept := logintel._forget_lines(%2$s, _ids, _times);
$forget_path$, lines, attachment_id);

COMMENT ON FUNCTION logintel._forget_path(integer, text) IS 'The text that takes the predictions of lines away; those that somebody else has in hand are queued again and kept in _kept.';

-- Nothing that fails in a path refuses what was written: the lines wait, and where not even that can be noted, the
-- warning says how to find them. The exception is a failure to serialize, which only the owner of the transaction can
-- retry.
--
-- An exception block is a subtransaction, of which a session can have 64 before all others pay for them. So the first
-- statements of a transaction have one, and the others rely on them: what their columns are called cannot change before
-- it ends. Counting them costs more than the subtransaction does, so those of a transaction's first millisecond, which
-- cannot be many, are not counted. safely is the statement that is tried when path failed.
CREATE OR REPLACE FUNCTION logintel._guarded_path(path text, safely text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format($guarded_path$
    IF coalesce(length(current_setting('logintel.guarded', true)), 0) < 32 THEN
        IF _logintel_began > now() + interval '1 ms' THEN
            PERFORM set_config('logintel.guarded', concat(current_setting('logintel.guarded', true), '.'), true);
        END IF;
        BEGIN
            %1$s
        EXCEPTION WHEN OTHERS THEN
            IF SQLSTATE = '40001' THEN
                RAISE;
            END IF;
            _reason := SQLERRM;
        END;
        IF _reason IS NOT NULL THEN
            PERFORM set_config('logintel.guarded', '', true);  -- the next statement has to expect the same
            BEGIN
                %2$s;
            EXCEPTION WHEN OTHERS THEN
                IF SQLSTATE = '40001' THEN
                    RAISE;
                END IF;
                _reason := concat(_reason, '; nor are they queued (', SQLERRM, '): run SELECT * FROM logintel.reconcile()');
            END;
            PERFORM logintel._warn_pending(_reason, 0, NULL);
        END IF;
    ELSE
        %1$s
    END IF;
$guarded_path$, path, safely);

COMMENT ON FUNCTION logintel._guarded_path(text, text) IS 'The text of a path that refuses no statement, whatever fails in it.';
