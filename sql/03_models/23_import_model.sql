-- What comes in has to say here what scikit-learn said of its golden cases: see _check_new_version().
CREATE OR REPLACE FUNCTION logintel.import_model(name text, onnx bytea, metadata jsonb, golden jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    added integer;
BEGIN
    IF import_model.name IS NULL OR onnx IS NULL OR metadata IS NULL OR golden IS NULL THEN
        RAISE EXCEPTION 'import_model needs a name, the ONNX graph, metadata and golden cases'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'models/README.md describes each of them.';
    ELSIF import_model.name NOT IN ('level', 'category', 'anomaly') THEN
        RAISE EXCEPTION 'unknown model name "%"', import_model.name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A model is called level, category or anomaly.';
    END IF;
    PERFORM logintel._check_size(import_model.name, import_model.onnx, import_model.metadata, import_model.golden);
    PERFORM logintel._check_metadata(import_model.name, import_model.metadata);
    PERFORM logintel._check_golden_cases(import_model.name, import_model.metadata, import_model.golden);
    PERFORM logintel._check_by_python(import_model.name, import_model.onnx, import_model.metadata, import_model.golden);
    added := logintel._add_version(import_model.name, import_model.onnx, encode(sha256(import_model.onnx), 'hex'),
                                   import_model.metadata, import_model.golden);
    PERFORM logintel._check_new_version(logintel._find_model(import_model.name, added));
    RETURN added;
END
$function$;

COMMENT ON FUNCTION logintel.import_model(text, bytea, jsonb, jsonb) IS 'Registers a model version, if it reproduces its golden cases in this server; returns the version. models/README.md describes the arguments.';


CREATE OR REPLACE FUNCTION logintel._add_version(name text, onnx bytea, sha256 text, metadata jsonb, golden jsonb)
RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    added integer;
BEGIN
    PERFORM logintel._lock_deployments();
    INSERT INTO logintel_internal.models (name, version, onnx, sha256, metadata, golden)
    VALUES ($1, 1 + coalesce((SELECT max(m.version) FROM logintel_internal.models m
        WHERE m.name = $1), 0), $2, $3, $4, $5)
    RETURNING version INTO added;
    RETURN added;
END
$function$;

COMMENT ON FUNCTION logintel._add_version(text, bytea, text, jsonb, jsonb) IS 'Adds a version of a model; returns its number.';
