CREATE OR REPLACE FUNCTION logintel.deploy(name text, version integer DEFAULT NULL, why text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    model_id integer;
BEGIN
    PERFORM logintel._lock_deployments();
    model_id := logintel._usable_model(deploy.name, deploy.version);
    IF logintel._is_in_force(model_id) THEN
        RAISE NOTICE 'model % version % is deployed already', deploy.name, (SELECT m.version FROM logintel_internal.models m WHERE m.id = model_id);
    ELSE
        PERFORM logintel._activate(model_id, 'deploy', deploy.why);
    END IF;
    RETURN (SELECT s.model_version FROM logintel_internal.model_sets s WHERE s.id = logintel._set_in_force());
END
$function$;

COMMENT ON FUNCTION logintel.deploy(text, integer, text) IS 'Puts a model version into force, by default the newest that is not retired; acts when the transaction commits. Returns the models now in force.';
