CREATE FUNCTION logintel.deploy(name text, version integer DEFAULT NULL, why text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    model logintel.models;
BEGIN
    PERFORM logintel._lock_deployments();
    SELECT m.* INTO model FROM logintel.models m
    WHERE m.name = deploy.name AND m.version = coalesce(deploy.version, m.version)
    ORDER BY m.version DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no model "%"%', deploy.name, coalesce(' version ' || deploy.version, '')
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce('Registered: ' || (SELECT string_agg(format('%s %s', m.name, m.version), ', ' ORDER BY m.name, m.version)
                                                     FROM logintel.models m) || '.', 'Train one with "logintel train".');
    END IF;
    IF model.id = ANY (SELECT unnest(s.model_ids) FROM logintel.model_sets s WHERE s.id = logintel._active_model_set()) THEN
        RAISE NOTICE 'model % version % is deployed already', model.name, model.version;
    ELSE
        PERFORM logintel._activate(model.id, 'deploy', deploy.why);
    END IF;
    RETURN (SELECT s.model_version FROM logintel.model_sets s WHERE s.id = logintel._active_model_set());
END
$function$;

COMMENT ON FUNCTION logintel.deploy(text, integer, text) IS 'Puts a model version into force, the newest by default; acts when the transaction commits. Returns the models now in force.';
