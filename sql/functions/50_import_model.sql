-- The fidelity gate: a model comes in only when this server's onnxruntime gives its golden cases the outputs that
-- scikit-learn gave them.
CREATE FUNCTION logintel.import_model(name text, onnx bytea, metadata jsonb, golden jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    new_version integer;
BEGIN
    IF import_model.name IS NULL OR onnx IS NULL OR metadata IS NULL OR golden IS NULL THEN
        RAISE EXCEPTION 'import_model needs a name, the ONNX graph, metadata and golden cases'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'models/README.md describes each of them.';
    ELSIF import_model.name NOT IN ('level', 'category', 'anomaly') THEN
        RAISE EXCEPTION 'unknown model name "%"', import_model.name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A model is called level, category or anomaly.';
    END IF;
    PERFORM logintel._check_model(import_model.name, import_model.onnx, import_model.metadata, import_model.golden);
    LOCK TABLE logintel.models IN SHARE ROW EXCLUSIVE MODE;
    new_version := 1 + coalesce((SELECT max(m.version) FROM logintel.models m WHERE m.name = import_model.name), 0);
    INSERT INTO logintel.models (name, version, onnx, sha256, metadata, golden)
    VALUES (import_model.name, new_version, import_model.onnx, encode(sha256(import_model.onnx), 'hex'),
            import_model.metadata, import_model.golden);
    RETURN new_version;
END
$function$;

COMMENT ON FUNCTION logintel.import_model(text, bytea, jsonb, jsonb) IS 'Registers a model version, if it reproduces its golden cases in this server; returns the version. models/README.md describes the arguments.';
