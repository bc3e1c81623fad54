-- The write path. %1$s is the source of the lines; %2$s reads the key, %3$s the time and %4$s the arguments of shape() from
-- its row t; %5$s goes first; %6$s tells the lines that the hot path left out; %7$s is the hot path.
--
-- The hot path is one INSERT: lines of shapes that the set in force knows get their score. It starts no Python, waits for
-- nobody, needs no subtransaction, and is the only query of the function where every shape is known: each further
-- one would cost a one-row insert almost as much. So the query itself notes whether it left lines out, in a setting of
-- the transaction; whoever sets that by hand merely sends his lines the long way round. For the same reason the set in
-- force is a number in the text. Where a snapshot doesn't see that set's scores yet, lines are left out, and the rest goes
-- by the deployment that the snapshot sees.
--
-- While a split test runs, the key of a line chooses one of two numbers instead; where the snapshot doesn't see the test,
-- the champion serves every line.
--
-- The rest looks for shapes learned since the last maintain(), then has the models score the shapes that nobody knows: one
-- set after the other in a split test, so that a challenger that fails leaves only its own lines. Lines that stay without a
-- score are pending. Names of the lines' columns are never in scope where a variable is read.
--
-- OFFSET 0 keeps the planner from computing the hash a second time where the join compares it.
CREATE OR REPLACE FUNCTION logintel._scoring_body(
    lines text, id text, "time" text, arguments text, before text, in_force integer, split logintel.ab_tests
) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format($template$
DECLARE
    active integer;
    test_id integer;
    share double precision;
    challenger integer;
    scorer integer;
    mode text;
    new_shapes logintel._shapes;
    none_scored boolean := true;
    waiting bigint;
    reason text;
    jit text;
BEGIN
    %5$s
    %7$s
    jit := current_setting('jit');
    PERFORM set_config('jit', 'off', true);  -- compiling these queries takes longer than running them
    SELECT s.*, logintel._setting('mode') INTO active, test_id, share, challenger, mode FROM logintel._serving() AS s;
    IF mode = 'off' THEN
        active := NULL;
        challenger := NULL;
    ELSIF active IS NULL THEN
        reason := 'no model is deployed';
    ELSIF mode = 'inline' THEN
        FOREACH scorer IN ARRAY array_remove(ARRAY[active, challenger], NULL) LOOP
            BEGIN
                FOR new_shapes IN
                    SELECT array_agg(n.shape_hash), array_agg((n.shape).template), array_agg((n.shape).service),
                           array_agg((n.shape).source_type), array_agg((n.shape).level),
                           array_agg((n.shape).status_class), array_agg((n.shape).latency_bucket)
                    FROM (SELECT u.*, row_number() OVER () - 1 AS number
                          FROM (SELECT DISTINCT ON (l.shape_hash) l.shape_hash, l.shape
                                FROM (SELECT %2$s AS id, logintel.shape(%4$s) AS shape, logintel.shape_hash(%4$s) AS shape_hash
                                      FROM %1$s WHERE %6$s OFFSET 0) AS l
                                WHERE CASE WHEN logintel._in_share(l.id, test_id, share) THEN challenger ELSE active END = scorer
                                  AND NOT EXISTS (SELECT FROM logintel.shape_scores s
                                                  WHERE s.model_set_id = scorer AND s.shape_hash = l.shape_hash
                                                    AND s.evicted_txid IS NULL)) AS u) AS n
                    GROUP BY n.number / 256
                LOOP
                    PERFORM logintel._learn_shapes(scorer, new_shapes, canonical => false, at_write => true);
                END LOOP;
            EXCEPTION WHEN OTHERS THEN
                IF SQLSTATE LIKE '40%%' THEN
                    RAISE;  -- the transaction has to be retried, and only its owner can do that
                END IF;
                reason := SQLERRM;
            END;
        END LOOP;
    END IF;

    WITH looked_up AS MATERIALIZED (
        SELECT l.id, l."timestamp", s.id AS score_id
        FROM (SELECT %2$s AS id, %3$s AS "timestamp", logintel.shape_hash(%4$s) AS shape_hash
              FROM %1$s WHERE %6$s OFFSET 0) AS l
        LEFT JOIN LATERAL (SELECT s.id FROM logintel.shape_scores s
                           WHERE s.model_set_id = CASE WHEN logintel._in_share(l.id, test_id, share) THEN challenger ELSE active END
                             AND s.shape_hash = l.shape_hash AND s.evicted_txid IS NULL
                           LIMIT 1) AS s ON true),
    scored AS (
        INSERT INTO logintel.predictions (log_entry_id, score_id, "timestamp")
        SELECT l.id, l.score_id, l."timestamp" FROM looked_up l WHERE l.score_id IS NOT NULL)
    INSERT INTO logintel.pending (log_entry_id) SELECT l.id FROM looked_up l WHERE l.score_id IS NULL;
    GET DIAGNOSTICS waiting = ROW_COUNT;
    IF waiting > 0 AND reason IS NOT NULL THEN
        PERFORM logintel._warn_pending(reason, waiting, active);
    END IF;
    PERFORM set_config('jit', jit, true);
    RETURN NULL;
END
$template$, lines, id, "time", arguments, before,
    -- Predictions of this transaction carry its now(), which tells them from any older ones of the same key. A
    -- subquery for each line keeps the planner from joining a large batch with all predictions, and adding nothing to
    -- the time from walking through the index on it, where every row of this very statement stands in the way.
    format('(none_scored OR (SELECT max(p.predicted_at + interval ''0'') FROM logintel.predictions p '
           'WHERE p.log_entry_id = %s AND p."timestamp" = %s) IS DISTINCT FROM now())', id, "time"),
    CASE WHEN in_force IS NOT NULL THEN format($hot_path$
    INSERT INTO logintel.predictions (log_entry_id, score_id, "timestamp")
    SELECT l.id, s.id, l."timestamp"
    FROM (SELECT %2$s AS id, %3$s AS "timestamp", logintel.shape_hash(%4$s) AS shape_hash%6$s FROM %1$s OFFSET 0) AS l
    LEFT JOIN logintel.shape_scores s ON s.canonical AND s.model_set_id = %5$s AND s.shape_hash = l.shape_hash
    WHERE s.id IS NOT NULL OR set_config('logintel.left_out', 'yes', true) IS NULL;
    none_scored := NOT FOUND;
    IF current_setting('logintel.left_out', true) IS DISTINCT FROM 'yes' THEN
        RETURN NULL;
    END IF;
    PERFORM set_config('logintel.left_out', '', true);
$hot_path$, lines, id, "time", arguments,
    CASE WHEN split.id IS NULL THEN in_force::text ELSE 'l.scorer' END,
    CASE WHEN split.id IS NOT NULL THEN format(
        ', CASE WHEN logintel._in_share(%1$s, %2$s, %3$L) AND EXISTS (SELECT FROM logintel.ab_tests r WHERE r.id = %2$s AND r.ended_at IS NULL) '
        'THEN %4$s ELSE %5$s END AS scorer', id, split.id, split.share, split.challenger_set_id, in_force) END) END);

COMMENT ON FUNCTION logintel._scoring_body(text, text, text, text, text, integer, logintel.ab_tests) IS 'Body of a trigger function that scores lines.';
