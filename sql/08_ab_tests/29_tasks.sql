-- What A/B tests have the upkeep do, and what they keep from it.
CREATE OR REPLACE FUNCTION logintel._task_081_score_for_tests() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF NOT EXISTS (SELECT FROM logintel.ab_tests t WHERE t.ended_at IS NULL) OR NOT logintel._try_lock('scores') THEN
        RETURN 0;
    END IF;
    RETURN logintel._score_for_ab_tests();
END
$function$;

COMMENT ON FUNCTION logintel._task_081_score_for_tests() IS 'Task of the upkeep: lets challengers score what the set in force learned.';

CREATE OR REPLACE FUNCTION logintel._task_082_decide_tests() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF NOT EXISTS (SELECT FROM logintel.ab_tests t WHERE t.ended_at IS NULL AND t.auto)
       OR NOT logintel._try_lock('deployments') THEN
        RETURN 0;
    END IF;
    RETURN logintel._decide_ab_tests();
END
$function$;

COMMENT ON FUNCTION logintel._task_082_decide_tests() IS 'Task of the upkeep: decides tests that are to be decided by it.';

-- A challenger that was never deployed leaves scores that nobody looks up. A minute after the end hardly a statement is
-- left that still goes by the test.
CREATE OR REPLACE FUNCTION logintel._task_083_evict_challengers() RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT coalesce(sum(logintel._evict_set(m.id)), 0)
    FROM logintel.known_counts k
    JOIN logintel.model_sets m ON m.id = k.model_set_id AND k.scores > 0
    WHERE EXISTS (SELECT FROM logintel.ab_tests t
                  WHERE t.challenger_id = ANY (m.model_ids) AND t.ended_at < now() - interval '1 minute')
      AND NOT EXISTS (SELECT FROM logintel.ab_tests t WHERE t.challenger_set_id = m.id AND t.ended_at IS NULL)
      AND NOT EXISTS (SELECT FROM logintel.deployments d WHERE d.model_set_id = m.id);
$function$;

COMMENT ON FUNCTION logintel._task_083_evict_challengers() IS 'Task of the upkeep: evicts the shapes of challengers whose tests ended.';

CREATE OR REPLACE FUNCTION logintel._follower_sets_081_shadow_tests() RETURNS SETOF integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.challenger_set_id FROM logintel.ab_tests t WHERE t.ended_at IS NULL AND t.share = 0;
END;

COMMENT ON FUNCTION logintel._follower_sets_081_shadow_tests() IS 'Challengers of shadow tests: they know what the set in force knows.';

CREATE OR REPLACE FUNCTION logintel._kept_scores_081_tests(score_ids bigint[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.score_id FROM logintel.ab_test_counts c WHERE c.score_id = ANY (score_ids)
    UNION
    SELECT s.id FROM logintel.ab_tests t JOIN logintel.model_sets m ON t.challenger_id = ANY (m.model_ids)
    JOIN logintel.shape_scores s ON s.model_set_id = m.id AND s.id = ANY (score_ids)
    WHERE t.ended_at IS NULL AND t.share = 0;
END;

COMMENT ON FUNCTION logintel._kept_scores_081_tests(bigint[]) IS 'Scores that a running A/B test compares.';
