-- What somebody trained and deployed stays in force. A default model goes into force where no model of its name is, and
-- in the place of an earlier default one that was made for other shapes.
CREATE OR REPLACE FUNCTION logintel.register_default_models() RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    model record;
    version integer;
    registered text[] := '{}';
BEGIN
    PERFORM logintel._lock_deployments();
    FOR model IN SELECT s.name, s.onnx, s.metadata, s.golden FROM logintel._shipped_models() s ORDER BY s.name LOOP
        CONTINUE WHEN EXISTS (SELECT FROM logintel_internal.models m
                              WHERE m.name = model.name AND m.sha256 = encode(sha256(model.onnx), 'hex')
                                AND NOT logintel._is_of_other_shapes(m.metadata));
        version := logintel.import_model(model.name, model.onnx, model.metadata, model.golden);
        registered := registered || format('%s %s', model.name, version);
        IF NOT EXISTS (SELECT FROM logintel_internal.model_sets s
            JOIN logintel_internal.models m ON m.id = ANY (s.model_ids)
                       WHERE s.id = logintel._set_in_force() AND m.name = model.name
                         AND NOT (logintel._is_of_other_shapes(m.metadata)
                                  AND m.metadata ->> 'origin' IS NOT DISTINCT FROM 'default')) THEN
            PERFORM logintel.deploy(model.name, version, 'default model');
        END IF;
    END LOOP;
    RETURN registered;
END
$function$;

COMMENT ON FUNCTION logintel.register_default_models() IS 'Registers the models that ship with this version, unless they are there, and deploys each whose name has none in force, or an earlier default one that was made for other shapes; installation calls it. Returns what it registered.';


CREATE OR REPLACE FUNCTION logintel._is_of_other_shapes(metadata jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce((metadata ->> 'shape_version')::integer <> logintel._shape_version(), false);

COMMENT ON FUNCTION logintel._is_of_other_shapes(jsonb) IS 'Whether a model was made for another version of the shape function; false where its metadata does not say.';


-- Golden cases of the default models, each as JSON in ASCII. A database in another encoding than UTF-8 may lack the
-- characters beyond, and takes them apart in its own way: no case that has any says something of it.
CREATE OR REPLACE FUNCTION logintel._cases_here(cases text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RETURN (SELECT jsonb_agg(c.one::jsonb ORDER BY c.n) FROM unnest(cases) WITH ORDINALITY AS c (one, n)
            WHERE getdatabaseencoding() = 'UTF8' OR strpos(c.one, E'\\u') = 0);
END
$function$;

COMMENT ON FUNCTION logintel._cases_here(text[]) IS 'The golden cases that say something of a database of this encoding.';
