-- Puts a model version into force. Writers only read what is changed here; the lock keeps two deployments apart. Shapes
-- that the set in force knows are scored before the new set takes over, so that writes go on finding known shapes.
CREATE OR REPLACE FUNCTION logintel._activate(model_id integer, action text, why text) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    current_set logintel_internal.model_sets;
    model logintel_internal.models;
    replaced integer;
    new_set integer;
    deployment integer;
BEGIN
    SELECT m.* INTO model FROM logintel_internal.models m WHERE m.id = model_id;
    SELECT s.* INTO current_set FROM logintel_internal.model_sets s WHERE s.id = logintel._set_in_force();
    SELECT m.id INTO replaced FROM logintel_internal.models m
        WHERE m.id = ANY (current_set.model_ids) AND m.name = model.name;
    new_set := logintel._model_set(array_remove(current_set.model_ids, replaced) || model_id);
    PERFORM logintel._announce('deployment_prepared', new_set);

    INSERT INTO logintel_internal.deployments (model_set_id, action, model_id, replaced_model_id, why)
    VALUES (new_set, _activate.action, _activate.model_id, replaced, _activate.why)
    RETURNING id INTO deployment;
    PERFORM logintel._serve(new_set);
    PERFORM logintel._announce('deployment', deployment);
    RETURN deployment;
END
$function$;

COMMENT ON FUNCTION logintel._activate(integer, text, text) IS 'Scores known shapes with the model put into the active set, then puts the new set into force; returns the deployment.';
