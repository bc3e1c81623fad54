-- The results are written down as they are at the end: verdicts change, and lines and scores go.
CREATE OR REPLACE FUNCTION logintel._end_ab_test(test_id integer, outcome text, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    INSERT INTO logintel_internal.ab_results SELECT r.* FROM logintel._ab_results(test_id) AS r;
    UPDATE logintel_internal.ab_tests t SET ended_at = now(), outcome = $2, reason = $3 WHERE t.id = test_id;
    DELETE FROM logintel_internal.ab_test_counts c WHERE c.test_id = $1;
    PERFORM logintel._serve_ab_tests();
END
$function$;

COMMENT ON FUNCTION logintel._end_ab_test(integer, text, text) IS 'Ends an A/B test and keeps its results.';

CREATE OR REPLACE FUNCTION logintel._stop_failed_ab_test(test_id integer, state text, message text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    name text;
BEGIN
    IF state LIKE '40%' THEN
        RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message;  -- the transaction has to be retried, and only its owner can do that
    END IF;
    PERFORM logintel._lock_deployments();
    SELECT t.name INTO name FROM logintel_internal.ab_tests t WHERE t.id = test_id AND t.ended_at IS NULL;
    IF NOT FOUND THEN
        RETURN;  -- somebody else has ended it
    END IF;
    PERFORM logintel._end_ab_test(test_id, 'stopped', format('the challenger fails: %s', split_part(message, E'\n', 1)));
    RAISE WARNING 'the A/B test of model % is stopped, its challenger fails: %', name, message
        USING HINT = 'Every line is served by the version in force. Train or import another challenger and test that.';
END
$function$;

COMMENT ON FUNCTION logintel._stop_failed_ab_test(integer, text, text) IS 'Ends the A/B test of a challenger that cannot score, with a warning.';

CREATE OR REPLACE FUNCTION logintel._running_ab_test(name text) RETURNS logintel_internal.ab_tests
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    test logintel_internal.ab_tests;
BEGIN
    SELECT t.* INTO test FROM logintel_internal.ab_tests t WHERE t.name = $1 AND t.ended_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no A/B test of model "%" is running', name USING ERRCODE = 'undefined_object',
            HINT = coalesce((SELECT format('Running: %s.', string_agg(t.name, ', ' ORDER BY t.name)) FROM logintel_internal.ab_tests t
                             WHERE t.ended_at IS NULL HAVING count(*) > 0),
                            'Start one: SELECT logintel.start_ab_test(name, challenger).');
    END IF;
    RETURN test;
END
$function$;

COMMENT ON FUNCTION logintel._running_ab_test(text) IS 'The A/B test of a model that runs; an error without one.';

CREATE OR REPLACE FUNCTION logintel.stop_ab_test(name text, why text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
BEGIN
    PERFORM logintel._lock_deployments();
    PERFORM logintel._end_ab_test((logintel._running_ab_test(name)).id, 'stopped', coalesce(why, format('stopped by %s', session_user)));
END
$function$;

COMMENT ON FUNCTION logintel.stop_ab_test(text, text) IS 'Ends the running A/B test of a model without a decision; the version in force stays.';
