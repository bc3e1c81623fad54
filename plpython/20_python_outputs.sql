CREATE OR REPLACE FUNCTION logintel._python_outputs(
    name text, onnx bytea, metadata jsonb, golden jsonb, OUT labels text[], OUT outputs jsonb
)
LANGUAGE plpython3u STABLE SET search_path = pg_catalog, pg_temp AS
$function$
@IMPORT@
from logintel_server import trial
return trial.outputs(plpy, name, onnx, metadata, golden)
$function$;

COMMENT ON FUNCTION logintel._python_outputs(text, bytea, jsonb, jsonb) IS 'What onnxruntime says of a model''s golden cases: labels and probabilities, or scores, in their order.';
