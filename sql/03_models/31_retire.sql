-- What stands in the way of taking a version out of use. Its callers hold the lock of deployments, or forbid what nobody
-- should do anyway.
CREATE OR REPLACE FUNCTION logintel._refuse_if_used(model_id integer) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    name text;
    version integer;
    ensemble integer := (SELECT e.version FROM logintel_internal.models e
                         WHERE e.retired_at IS NULL AND model_id = ANY (logintel._members(e.id)) ORDER BY e.version LIMIT 1);
BEGIN
    SELECT m.name, m.version INTO name, version FROM logintel_internal.models m WHERE m.id = model_id;
    IF logintel._is_in_force(model_id) THEN
        RAISE EXCEPTION 'model % % is in force', name, version
            USING ERRCODE = 'object_in_use', HINT = format('Put another version into force first: SELECT logintel.deploy(%L, version).', name);
    ELSIF ensemble IS NOT NULL THEN
        RAISE EXCEPTION 'model % % is a member of the ensemble % %', name, version, name, ensemble
            USING ERRCODE = 'object_in_use', HINT = format('Retire the ensemble first: SELECT logintel.retire(%L, %s).', name, ensemble);
    END IF;
    PERFORM logintel._announce('model_use', model_id);
END
$function$;

COMMENT ON FUNCTION logintel._refuse_if_used(integer) IS 'Raises an error that names what uses a model version: deployment, ensemble, or a capability.';

CREATE OR REPLACE FUNCTION logintel.retire(name text, version integer, why text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    model_id integer;
BEGIN
    PERFORM logintel._lock_deployments();
    model_id := logintel._find_model(retire.name, retire.version);
    IF EXISTS (SELECT FROM logintel_internal.models m WHERE m.id = model_id AND m.retired_at IS NOT NULL) THEN
        RAISE NOTICE 'model % version % is retired already', name, version;
    ELSE
        PERFORM logintel._refuse_if_used(model_id);
        UPDATE logintel_internal.models m SET retired_at = now(), retired_by = session_user, retired_why = retire.why WHERE m.id = model_id;
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel.retire(text, integer, text) IS 'Takes a model version out of use for good: it is not deployed, tested or returned to any more. Refused while it is in force, in a running A/B test, or a member of an ensemble that is not retired.';

CREATE OR REPLACE FUNCTION logintel.drop_model(name text, version integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    dropped integer;
    freed bigint;
BEGIN
    PERFORM logintel._lock_deployments();
    dropped := logintel._find_model(drop_model.name, drop_model.version);
    IF EXISTS (SELECT FROM logintel_internal.models m WHERE m.id = dropped AND m.retired_at IS NULL) THEN
        RAISE EXCEPTION 'model % % is not retired', name, version
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Retire it first: SELECT logintel.retire(%L, %s).', name, version);
    END IF;
    freed := (SELECT coalesce(octet_length(m.onnx), 0) FROM logintel_internal.models m WHERE m.id = dropped);
    DELETE FROM logintel_internal.linear_models l WHERE l.model_id = dropped;
    UPDATE logintel_internal.models m SET onnx = NULL, golden = NULL, dropped_at = now() WHERE m.id = dropped AND m.dropped_at IS NULL;
    RETURN freed;
END
$function$;

COMMENT ON FUNCTION logintel.drop_model(text, integer) IS 'Removes the graph of a retired model version; returns its bytes. What is known of the version stays, since predictions and deployments name it.';
