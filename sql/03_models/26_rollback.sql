-- Retired versions are passed over: whoever rolls back wants what worked, not an errand.
CREATE OR REPLACE FUNCTION logintel.rollback(name text, why text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    current_id integer;
    earlier_id integer;
    deployment_id integer;
    retired text := '';
BEGIN
    PERFORM logintel._lock_deployments();
    SELECT m.id INTO current_id FROM logintel_internal.models m
        WHERE m.name = rollback.name AND logintel._is_in_force(m.id);
    earlier_id := current_id;
    LOOP
        -- The deployment that put this version into force, however often it was left and returned to since.
        SELECT d.id, d.replaced_model_id INTO deployment_id, earlier_id FROM logintel_internal.deployments d
        WHERE d.model_id = earlier_id AND d.action = 'deploy' AND d.id < coalesce(deployment_id, d.id + 1)
        ORDER BY d.id DESC LIMIT 1;
        IF earlier_id IS NULL THEN
            RAISE EXCEPTION 'model "%" has no earlier deployment to return to%', rollback.name, retired
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = 'Look at logintel.ml_deployments, and run SELECT logintel.deploy(name, version).';
        END IF;
        EXIT WHEN earlier_id <> current_id AND EXISTS (SELECT FROM logintel_internal.models m WHERE m.id = earlier_id AND m.retired_at IS NULL);
        retired := ' that is not retired';
    END LOOP;
    PERFORM logintel._activate(earlier_id, 'rollback', rollback.why);
    RETURN (SELECT s.model_version FROM logintel_internal.model_sets s WHERE s.id = logintel._set_in_force());
END
$function$;

COMMENT ON FUNCTION logintel.rollback(text, text) IS 'Returns a model to the version that was in force before it, or before that one where it is retired; acts when the transaction commits. Returns the models now in force.';
