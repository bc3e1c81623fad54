CREATE OR REPLACE FUNCTION logintel._find_model(name text, version integer) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    found_id integer := (SELECT m.id FROM logintel_internal.models m WHERE m.name = _find_model.name AND m.version = _find_model.version);
BEGIN
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'there is no model "%"%', name, coalesce(' version ' || version, '')
            USING ERRCODE = 'undefined_object', HINT = logintel._usable_versions();
    END IF;
    RETURN found_id;
END
$function$;

COMMENT ON FUNCTION logintel._find_model(text, integer) IS 'The id of a model version; an error that names what there is where there is none.';

CREATE OR REPLACE FUNCTION logintel._usable_model(name text, version integer DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    chosen integer := coalesce(version, (SELECT m.version FROM logintel_internal.models m
        WHERE m.name = _usable_model.name
                                         ORDER BY m.retired_at IS NULL DESC, m.version DESC LIMIT 1));
    found_id integer := logintel._find_model(name, chosen);
BEGIN
    IF EXISTS (SELECT FROM logintel_internal.models m WHERE m.id = found_id AND m.retired_at IS NOT NULL) THEN
        RAISE EXCEPTION 'model % % is retired', name, chosen
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'That is final. ' || logintel._usable_versions();
    END IF;
    RETURN found_id;
END
$function$;

COMMENT ON FUNCTION logintel._usable_model(text, integer) IS 'The id of a model version that is not retired, by default the newest; an error where there is none.';

CREATE OR REPLACE FUNCTION logintel._usable_versions() RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT coalesce('Registered: ' || string_agg(format('%s %s', m.name, m.version), ', ' ORDER BY m.name, m.version) || '.',
                        'Train one with "logintel train".')
        FROM logintel_internal.models m WHERE m.retired_at IS NULL);

COMMENT ON FUNCTION logintel._usable_versions() IS 'The next step for whoever named a version in vain: all that are not retired.';

CREATE OR REPLACE FUNCTION logintel._is_in_force(model_id integer) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM logintel_internal.model_sets s WHERE s.id = logintel._set_in_force() AND model_id = ANY (s.model_ids));

COMMENT ON FUNCTION logintel._is_in_force(integer) IS 'Whether a model version is in the set in force.';
