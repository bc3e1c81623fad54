-- Lines that were there before and are counted afresh, as after a restore, are no evidence. A test that ends meanwhile
-- waits for the lock on its row, so that it leaves no counts behind.
CREATE OR REPLACE FUNCTION logintel._task_081_count_lines_for_tests() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    range record;
    counted bigint;
BEGIN
    SELECT * INTO range FROM logintel._read_counts('ab_tests');
    PERFORM FROM logintel_internal.ab_tests t WHERE t.ended_at IS NULL FOR SHARE;
    INSERT INTO logintel_internal.ab_test_counts AS c (test_id, score_id, lines)
    SELECT t.id, n.score_id, sum(n.lines)
    FROM logintel_internal.count_changes n
    CROSS JOIN logintel_internal.ab_tests t
    WHERE n.id > range.after_id AND n.id <= range.up_to_id AND n.lines > 0 AND NOT n.is_recount AND t.ended_at IS NULL
    GROUP BY t.id, n.score_id
    ON CONFLICT (test_id, score_id) DO UPDATE SET lines = c.lines + excluded.lines;
    GET DIAGNOSTICS counted = ROW_COUNT;
    RETURN counted;
END
$function$;

COMMENT ON FUNCTION logintel._task_081_count_lines_for_tests() IS 'Counts new lines for the running A/B tests; returns for how many scores.';

-- Not canonical yet, so that nobody has to be kept out meanwhile: the upkeep makes them so, as with any new score.
CREATE OR REPLACE FUNCTION logintel._ab_score_new_shapes(test logintel_internal.ab_tests, after_id bigint, up_to_id bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    shapes logintel._shapes;
    scored bigint := 0;
BEGIN
    FOR shapes IN
        WITH unknown AS (
            SELECT DISTINCT ON (s.shape_hash) s.*
            FROM logintel_internal.count_changes n
            JOIN logintel_internal.scores s ON s.id = n.score_id AND s.evicted_txid IS NULL
            JOIN logintel_internal.model_sets m ON m.id = s.model_set_id AND test.champion_id = ANY (m.model_ids)
            WHERE n.id > after_id AND n.id <= up_to_id AND n.is_new AND NOT EXISTS (
                SELECT FROM logintel_internal.scores k
                WHERE k.model_set_id = test.challenger_set_id AND k.shape_hash = s.shape_hash AND k.evicted_txid IS NULL))
        SELECT array_agg(u.shape_hash), array_agg(u.template), array_agg(u.service), array_agg(u.source_type),
               array_agg(u.level), array_agg(u.status_class), array_agg(u.latency_bucket),
               u.attachment_id
        FROM (SELECT k.*, logintel._attachment_of(k.id) AS attachment_id,
                     row_number() OVER (PARTITION BY logintel._attachment_of(k.id)) - 1 AS n
              FROM unknown k) AS u
        GROUP BY u.attachment_id, u.n / 256
    LOOP
        PERFORM logintel._score_and_remember(test.challenger_set_id, shapes, canonical => false, at_write => false);
        scored := scored + cardinality(shapes.shape_hash);
    END LOOP;
    RETURN scored;
END
$function$;

COMMENT ON FUNCTION logintel._ab_score_new_shapes(logintel_internal.ab_tests, bigint, bigint) IS 'Lets a challenger score the shapes that the champion met in these rows of count_changes and it does not know; returns how many.';

-- A challenger that fails is no champion: its test ends, and the others go on. In a split test writers ask the
-- challenger themselves, and it has to show that it still runs; what it knows of the champion's lines need not be
-- scored when it is promoted.
CREATE OR REPLACE FUNCTION logintel._task_082_score_shapes_for_tests() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    range record;
    test logintel_internal.ab_tests;
    scored bigint := 0;
BEGIN
    SELECT * INTO range FROM logintel._read_counts('ab_shapes', 10000);
    FOR test IN SELECT t.* FROM logintel_internal.ab_tests t WHERE t.ended_at IS NULL ORDER BY t.id LOOP
        BEGIN
            scored := scored + logintel._ab_score_new_shapes(test, range.after_id, range.up_to_id);
            IF test.share > 0 THEN
                PERFORM logintel._score_shapes(test.challenger_set_id, ROW('{0}', '{""}', '{""}', '{""}', '{""}', '{""}', '{""}', NULL)::logintel._shapes);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            PERFORM logintel._stop_failed_ab_test(test.id, SQLSTATE, SQLERRM);
        END;
    END LOOP;
    RETURN scored;
END
$function$;

COMMENT ON FUNCTION logintel._task_082_score_shapes_for_tests() IS 'Lets the challengers of A/B tests score new shapes, and stops the tests of challengers that fail; returns how many shapes.';

-- Each template with an outcome has a shape that was counted and, where feedback decides, a verdict. So the evidence
-- is only gone through when there are enough of these for the next look.
CREATE OR REPLACE FUNCTION logintel._ab_look_may_be_due(test logintel_internal.ab_tests) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT needed <= (SELECT count(*) FROM (SELECT FROM logintel_internal.ab_test_counts c WHERE c.test_id = ($1).id LIMIT needed) AS c)
       AND (($1).metric = 'declared' OR needed <= (
            SELECT count(*) FROM (SELECT FROM logintel_internal.feedback f WHERE f.given_at >= ($1).started_at AND f.is_current LIMIT needed) AS f))
    FROM (SELECT ($1).minimum_sample::bigint << logintel._ab_looks_done(($1).id)) AS n (needed);
$function$;

COMMENT ON FUNCTION logintel._ab_look_may_be_due(logintel_internal.ab_tests) IS 'False where an A/B test can''t have the sample for its next look yet.';

CREATE OR REPLACE FUNCTION logintel._task_083_decide_tests() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    test logintel_internal.ab_tests;
    due boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM logintel_internal.ab_tests t WHERE t.ended_at IS NULL AND t.auto)
       OR NOT logintel._try_lock('deployments') THEN
        RETURN 0;  -- whoever deploys is not waited for
    END IF;
    FOR test IN SELECT t.* FROM logintel_internal.ab_tests t WHERE t.ended_at IS NULL AND t.auto ORDER BY t.id LOOP
        BEGIN
            due := logintel._ab_look_may_be_due(test)
                AND (SELECT e.look IS NOT NULL FROM logintel._ab_evidence(test) e WHERE e.metric = test.metric);
            IF due THEN
                PERFORM logintel.decide_ab_test(test.name);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            PERFORM logintel._stop_failed_ab_test(test.id, SQLSTATE, SQLERRM);
        END;
    END LOOP;
    RETURN (SELECT count(*) FROM logintel_internal.ab_tests t WHERE t.ended_at = now() AND t.auto);
END
$function$;

COMMENT ON FUNCTION logintel._task_083_decide_tests() IS 'Decides the A/B tests that the upkeep is to decide; returns how many ended.';

CREATE OR REPLACE FUNCTION logintel._follower_sets_081_shadow_tests() RETURNS SETOF integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.challenger_set_id FROM logintel_internal.ab_tests t WHERE t.ended_at IS NULL AND t.share = 0;
END;

COMMENT ON FUNCTION logintel._follower_sets_081_shadow_tests() IS 'Challengers of shadow tests: they know what the set in force knows.';

CREATE OR REPLACE FUNCTION logintel._kept_scores_081_tests(score_ids bigint[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.score_id FROM logintel_internal.ab_test_counts c WHERE c.score_id = ANY (score_ids)
    UNION
    SELECT s.id FROM logintel_internal.ab_tests t
        JOIN logintel_internal.model_sets m ON t.challenger_id = ANY (m.model_ids)
    JOIN logintel_internal.scores s ON s.model_set_id = m.id AND s.id = ANY (score_ids)
    WHERE t.ended_at IS NULL AND t.share = 0;
END;

COMMENT ON FUNCTION logintel._kept_scores_081_tests(bigint[]) IS 'Scores that a running A/B test compares.';

-- A challenger that was never deployed leaves scores that nobody looks up. A minute after the end hardly a statement is
-- left that still goes by the test.
CREATE OR REPLACE FUNCTION logintel._task_084_evict_challengers() RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT coalesce(sum(logintel._evict_set(m.id)), 0)
    FROM logintel_internal.known_counts k
    JOIN logintel_internal.model_sets m ON m.id = k.model_set_id AND k.scores > 0
    WHERE EXISTS (SELECT FROM logintel_internal.ab_tests t WHERE t.challenger_id = ANY (m.model_ids) AND t.ended_at < now() - interval '1 minute')
      AND NOT EXISTS (SELECT FROM logintel_internal.ab_tests t WHERE t.challenger_set_id = m.id AND t.ended_at IS NULL)
      AND NOT EXISTS (SELECT FROM logintel_internal.deployments d WHERE d.model_set_id = m.id);
$function$;

COMMENT ON FUNCTION logintel._task_084_evict_challengers() IS 'Task of the upkeep: evicts the shapes of challengers whose tests ended.';
