-- Puts a model version into force. Writers only read what is changed here; the lock keeps two deployments, and
-- maintain(), apart. Shapes that the set in force knows are scored before the new set takes over, so that
-- writes go on finding known shapes.
CREATE FUNCTION logintel._activate(model_id integer, action text, why text) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    current_set logintel.model_sets;
    model logintel.models;
    replaced integer;
    members integer[];
    new_set integer;
    shapes logintel._shapes;
    deployment integer;
BEGIN
    SELECT m.* INTO model FROM logintel.models m WHERE m.id = model_id;
    SELECT s.* INTO current_set FROM logintel.model_sets s WHERE s.id = logintel._active_model_set();
    SELECT m.id INTO replaced FROM logintel.models m WHERE m.id = ANY (current_set.model_ids) AND m.name = model.name;
    members := ARRAY(SELECT i FROM unnest(array_remove(current_set.model_ids, replaced) || model_id) AS i ORDER BY i);

    SELECT s.id INTO new_set FROM logintel.model_sets s WHERE s.model_ids = members;
    IF NOT FOUND THEN
        INSERT INTO logintel.model_sets (model_ids, model_version, level_is_default)
        SELECT members, string_agg(format('%s %s', m.name, m.version), ', ' ORDER BY m.name),
               coalesce(bool_or(m.name = 'level' AND logintel._is_default(m.id)), false)
        FROM logintel.models m WHERE m.id = ANY (members)
        RETURNING id INTO new_set;
    END IF;

    PERFORM logintel._promote_scores();
    FOR shapes IN
        WITH unknown AS (
            SELECT s.*, row_number() OVER () - 1 AS n FROM logintel.shape_scores s
            WHERE s.model_set_id = current_set.id AND s.canonical AND NOT EXISTS (
                SELECT FROM logintel.shape_scores k WHERE k.canonical AND k.model_set_id = new_set AND k.shape_hash = s.shape_hash))
        SELECT array_agg(u.shape_hash), array_agg(u.template), array_agg(u.service), array_agg(u.source_type),
               array_agg(u.level), array_agg(u.status_class), array_agg(u.latency_bucket)
        FROM unknown u GROUP BY u.n / 256
    LOOP
        PERFORM logintel._learn_shapes(new_set, shapes, canonical => true, at_write => false);
    END LOOP;

    INSERT INTO logintel.deployments (model_set_id, action, model_id, replaced_model_id, why)
    VALUES (new_set, _activate.action, _activate.model_id, replaced, _activate.why)
    RETURNING id INTO deployment;
    RETURN deployment;
END
$function$;

COMMENT ON FUNCTION logintel._activate(integer, text, text) IS 'Scores known shapes with the model put into the active set, then puts the new set into force; returns the deployment.';
