CREATE OR REPLACE FUNCTION logintel._model_set(members integer[]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    ascending integer[] := ARRAY(SELECT i FROM unnest(members) AS i ORDER BY i);
    found_id integer := (SELECT s.id FROM logintel_internal.model_sets s WHERE s.model_ids = ascending);
BEGIN
    IF found_id IS NULL THEN
        INSERT INTO logintel_internal.model_sets (model_ids, model_version, level_is_default)
        SELECT ascending, string_agg(format('%s %s', m.name, m.version), ', ' ORDER BY m.name),
               coalesce(bool_or(m.name = 'level' AND logintel._is_default(m.id)), false)
        FROM logintel_internal.models m WHERE m.id = ANY (members)
        RETURNING id INTO found_id;
    END IF;
    RETURN found_id;
END
$function$;

COMMENT ON FUNCTION logintel._model_set(integer[]) IS 'The set of these models, made where there is none yet.';
