CREATE OR REPLACE FUNCTION logintel.start_ab_test(
    name text, challenger integer, share double precision DEFAULT 0, metric text DEFAULT 'feedback',
    minimum_sample integer DEFAULT NULL, significance double precision DEFAULT 0.05, auto boolean DEFAULT false, why text DEFAULT NULL
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    champion_id integer;
    challenger_id integer;
    challenger_set integer;
    started integer;
BEGIN
    PERFORM logintel._lock_deployments();
    minimum_sample := coalesce(minimum_sample, logintel._ab_default_sample(share));
    PERFORM logintel._check_ab_rule(name, share, metric, minimum_sample, significance, auto);
    champion_id := logintel._champion(name);
    challenger_id := logintel._challenger(name, challenger, champion_id);
    PERFORM logintel._check_no_ab_test_runs(name, share);
    challenger_set := logintel._challenger_set(champion_id, challenger_id);
    PERFORM logintel._roll_up();
    PERFORM logintel._task_081_count_lines_for_tests();  -- what is counted from here on belongs to this one, too
    INSERT INTO logintel_internal.ab_tests (name, champion_id, challenger_id, challenger_set_id, share, metric, minimum_sample, significance, auto, why)
    VALUES ($1, champion_id, challenger_id, challenger_set, $3, $4, minimum_sample, $6, $7, $8)
    RETURNING id INTO started;
    PERFORM logintel._serve_ab_tests();
    RETURN started;
END
$function$;

COMMENT ON FUNCTION logintel.start_ab_test(text, integer, double precision, text, integer, double precision, boolean, text) IS 'Tests a version of a model against the one in force. share 0 is a shadow test: the challenger scores the shapes of all lines and serves none; else it serves that share of them. metric: feedback or, for level, declared. minimum_sample: templates at the first of five looks, by default 60, or 140 on each side of a split test. With auto, maintain() promotes a better challenger and stops a worse one; else call decide_ab_test(). Acts when the transaction commits. Returns the id of the test.';

CREATE OR REPLACE FUNCTION logintel._check_ab_rule(
    name text, share double precision, metric text, minimum_sample integer, significance double precision, auto boolean
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._model_names(ARRAY[name]);
    IF share IS NULL OR NOT (share >= 0 AND share < 1) THEN
        RAISE EXCEPTION 'the share of the challenger cannot be %', coalesce(share::text, 'null')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It takes a number from 0 (a shadow test) to below 1, such as 0.1.';
    ELSIF metric IS NULL OR NOT (metric = 'feedback' OR (metric = 'declared' AND name = 'level')) THEN
        RAISE EXCEPTION 'a test of model "%" cannot go by the metric "%"', name, coalesce(metric, 'null')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The metric is feedback or, for the model level, declared.';
    ELSIF minimum_sample < 10 OR minimum_sample > 10000000 THEN
        RAISE EXCEPTION 'the minimum sample cannot be %', minimum_sample
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It takes a number of templates from 10 to 10000000; there are looks at 1, 2, 4, 8 and 16 times as many.';
    ELSIF significance IS NULL OR NOT (significance > 0 AND significance <= 0.5) THEN
        RAISE EXCEPTION 'the significance cannot be %', coalesce(significance::text, 'null')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It takes a number above 0 and up to 0.5, such as 0.05.';
    ELSIF auto IS NULL THEN
        RAISE EXCEPTION 'auto is true or false, not null'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'With true, maintain() decides the test; with false, decide_ab_test() does.';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_ab_rule(text, double precision, text, integer, double precision, boolean) IS 'Raises an error where an A/B test could not go by these values.';

CREATE OR REPLACE FUNCTION logintel._champion(name text) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    found_id integer := (SELECT f.model_id FROM logintel_internal._in_force f WHERE f.name = _champion.name);
BEGIN
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'no version of model "%" is in force', name USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('A test needs a champion: run SELECT logintel.deploy(%L).', name);
    END IF;
    RETURN found_id;
END
$function$;

COMMENT ON FUNCTION logintel._champion(text) IS 'The version of a model in force; an error without one.';

CREATE OR REPLACE FUNCTION logintel._challenger(name text, version integer, champion_id integer) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    model_id integer := logintel._usable_model(name, version);
BEGIN
    IF version IS NULL THEN
        RAISE EXCEPTION 'a test of model "%" needs a challenger', name
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Give its version: logintel.ml_models lists them.';
    ELSIF model_id = champion_id THEN
        RAISE EXCEPTION 'model % % is in force already', name, version USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Test another version against it: logintel.ml_models lists them.';
    END IF;
    RETURN model_id;
END
$function$;

COMMENT ON FUNCTION logintel._challenger(text, integer, integer) IS 'The id of a version that can be tested against the champion; an error where it cannot.';

CREATE OR REPLACE FUNCTION logintel._check_no_ab_test_runs(name text, share double precision) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    running record;
BEGIN
    SELECT t.name, t.share, champion.version AS champion, challenger.version AS challenger INTO running
    FROM logintel_internal.ab_tests t
    JOIN logintel_internal.models champion ON champion.id = t.champion_id
    JOIN logintel_internal.models challenger ON challenger.id = t.challenger_id
    WHERE t.ended_at IS NULL AND (t.name = $1 OR (t.share > 0 AND $2 > 0))
    ORDER BY t.name = $1 DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a % test is running already: % % against %', CASE WHEN running.share = 0 THEN 'shadow' ELSE 'split' END,
            running.name, running.challenger, running.champion
            USING ERRCODE = 'object_in_use',
                  HINT = format('A model has one test at a time, and lines are split by one. End it: SELECT logintel.stop_ab_test(%L, why).', running.name);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_no_ab_test_runs(text, double precision) IS 'Raises an error where a running A/B test leaves no room for this one.';
