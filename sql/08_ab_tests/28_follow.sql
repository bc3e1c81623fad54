-- Lines never wait for a shadow test: its challenger scores shapes beforehand and in the upkeep, never at the write.
CREATE OR REPLACE FUNCTION logintel._challenger_set(champion_id integer, challenger_id integer) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    in_force logintel_internal.model_sets;
    challenger_set integer;
BEGIN
    SELECT s.* INTO in_force FROM logintel_internal.model_sets s WHERE s.id = logintel._set_in_force();
    challenger_set := logintel._model_set(array_replace(in_force.model_ids, champion_id, challenger_id));
    PERFORM logintel._announce('deployment_prepared', challenger_set);
    RETURN challenger_set;
END
$function$;

COMMENT ON FUNCTION logintel._challenger_set(integer, integer) IS 'The set in force with the challenger in the place of the champion, which knows what the set in force knows.';

-- A test of the model that was deployed has lost its champion, any other goes on beside the new set.
CREATE OR REPLACE FUNCTION logintel._on_deployment_081_follow(deployment bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    model logintel_internal.models;
    test logintel_internal.ab_tests;
BEGIN
    SELECT m.* INTO model FROM logintel_internal.deployments d JOIN logintel_internal.models m ON m.id = d.model_id WHERE d.id = deployment;
    FOR test IN SELECT t.* FROM logintel_internal.ab_tests t WHERE t.ended_at IS NULL ORDER BY t.id LOOP
        IF test.name = model.name THEN
            PERFORM logintel._end_ab_test(test.id, 'stopped', format('%s %s was put into force while the test ran', model.name, model.version));
            CONTINUE;
        END IF;
        BEGIN
            UPDATE logintel_internal.ab_tests t SET challenger_set_id = logintel._challenger_set(test.champion_id, test.challenger_id)
            WHERE t.id = test.id;
        EXCEPTION WHEN OTHERS THEN
            PERFORM logintel._stop_failed_ab_test(test.id, SQLSTATE, SQLERRM);
        END;
    END LOOP;
    PERFORM logintel._serve_ab_tests();
END
$function$;

COMMENT ON FUNCTION logintel._on_deployment_081_follow(bigint) IS 'Makes the challengers'' sets of running A/B tests anew after a deployment, and stops the test of the model that was deployed.';

-- What serves lines names the tests that run, so that scoring need not know what a test is.
CREATE OR REPLACE FUNCTION logintel._serve_ab_tests() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT logintel._serve(v.model_set_id, split.id, split.share, split.challenger_set_id, shadows.set_ids)
    FROM logintel._serving() v
    CROSS JOIN (SELECT ARRAY(SELECT t.challenger_set_id FROM logintel_internal.ab_tests t
                             WHERE t.ended_at IS NULL AND t.share = 0 ORDER BY t.id)) AS shadows (set_ids)
    LEFT JOIN logintel_internal.ab_tests split ON split.ended_at IS NULL AND split.share > 0
    WHERE (v.test_id, v.share, v.challenger_set_id, v.shadow_set_ids)
          IS DISTINCT FROM (split.id, split.share, split.challenger_set_id, shadows.set_ids);
$function$;

COMMENT ON FUNCTION logintel._serve_ab_tests() IS 'Lets lines be served as the tests that run now say.';

CREATE OR REPLACE FUNCTION logintel._on_model_use_081_refuse_challengers(model_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    model logintel_internal.models;
BEGIN
    SELECT m.* INTO model FROM logintel_internal.models m JOIN logintel_internal.ab_tests t ON t.challenger_id = m.id AND t.ended_at IS NULL
    WHERE m.id = $1;
    IF FOUND THEN
        RAISE EXCEPTION 'model % % is the challenger of a running A/B test', model.name, model.version
            USING ERRCODE = 'object_in_use',
                  HINT = format('Stop the test first: SELECT logintel.stop_ab_test(%L, why).', model.name);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._on_model_use_081_refuse_challengers(bigint) IS 'Raises an error where a model version is the challenger of a running A/B test.';
