CREATE FUNCTION logintel.rollback(name text, why text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    deployment logintel.deployments;
BEGIN
    PERFORM logintel._lock_deployments();
    -- The deployment that put the version now in force there, however often it was left and returned to since.
    SELECT d.* INTO deployment
    FROM logintel.deployments d
    JOIN logintel.model_sets s ON s.id = logintel._active_model_set() AND d.model_id = ANY (s.model_ids)
    JOIN logintel.models m ON m.id = d.model_id AND m.name = rollback.name
    WHERE d.action = 'deploy'
    ORDER BY d.id DESC LIMIT 1;
    IF deployment.replaced_model_id IS NULL THEN
        RAISE EXCEPTION 'model "%" has no earlier deployment to return to', rollback.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Look at logintel.ml_deployments, and run SELECT logintel.deploy(name, version).';
    END IF;
    PERFORM logintel._activate(deployment.replaced_model_id, 'rollback', rollback.why);
    RETURN (SELECT s.model_version FROM logintel.model_sets s WHERE s.id = logintel._active_model_set());
END
$function$;

COMMENT ON FUNCTION logintel.rollback(text, text) IS 'Returns a model to the version that was in force before; acts when the transaction commits. Returns the models now in force.';
