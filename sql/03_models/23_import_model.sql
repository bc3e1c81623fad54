-- The fidelity gate: a model comes in only when this server's onnxruntime gives its golden cases the outputs that
-- scikit-learn gave them.
CREATE OR REPLACE FUNCTION logintel.import_model(name text, onnx bytea, metadata jsonb, golden jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF import_model.name IS NULL OR onnx IS NULL OR metadata IS NULL OR golden IS NULL THEN
        RAISE EXCEPTION 'import_model needs a name, the ONNX graph, metadata and golden cases'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'models/README.md describes each of them.';
    ELSIF import_model.name NOT IN ('level', 'category', 'anomaly') THEN
        RAISE EXCEPTION 'unknown model name "%"', import_model.name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A model is called level, category or anomaly.';
    END IF;
    PERFORM logintel._check_model(import_model.name, import_model.onnx, import_model.metadata, import_model.golden);
    PERFORM logintel._check_figures(import_model.name, import_model.metadata);
    RETURN logintel._add_version(import_model.name, import_model.onnx, encode(sha256(import_model.onnx), 'hex'),
                                 import_model.metadata, import_model.golden);
END
$function$;

COMMENT ON FUNCTION logintel.import_model(text, bytea, jsonb, jsonb) IS 'Registers a model version, if it reproduces its golden cases in this server; returns the version. models/README.md describes the arguments.';

-- One version whose figures cannot be read would be an error of every view that shows them.
CREATE OR REPLACE FUNCTION logintel._check_figures(name text, metadata jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM (metadata ->> 'accuracy')::double precision, (metadata ->> 'macro_f1')::double precision,
            (metadata ->> 'accuracy_time_split')::double precision, (metadata ->> 'accuracy_random_split')::double precision,
            (metadata #>> '{samples,lines}')::bigint, (metadata ->> 'trained_at')::timestamptz,
            (metadata ->> 'shape_version')::integer, (metadata ->> 'replaces')::integer;
EXCEPTION WHEN data_exception THEN
    RAISE EXCEPTION 'model %: its metadata cannot be read: %', name, SQLERRM
        USING ERRCODE = 'invalid_parameter_value', HINT = 'models/README.md says what each key holds.';
END
$function$;

COMMENT ON FUNCTION logintel._check_figures(text, jsonb) IS 'Raises an error where a key of the metadata that views or doctor() read has another type than theirs.';

CREATE OR REPLACE FUNCTION logintel._add_version(name text, onnx bytea, sha256 text, metadata jsonb, golden jsonb) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    added integer;
BEGIN
    PERFORM logintel._lock_deployments();
    INSERT INTO logintel.models (name, version, onnx, sha256, metadata, golden)
    VALUES ($1, 1 + coalesce((SELECT max(m.version) FROM logintel.models m WHERE m.name = $1), 0), $2, $3, $4, $5)
    RETURNING version INTO added;
    RETURN added;
END
$function$;

COMMENT ON FUNCTION logintel._add_version(text, bytea, text, jsonb, jsonb) IS 'Adds a version of a model, which has been checked; returns its number.';
