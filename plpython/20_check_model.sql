CREATE OR REPLACE FUNCTION logintel._check_model(name text, onnx bytea, metadata jsonb, golden jsonb) RETURNS void
LANGUAGE plpython3u STABLE SET search_path = pg_catalog, pg_temp AS
$function$
@IMPORT@
from logintel_server import fidelity
fidelity.check_model(plpy, name, onnx, metadata, golden)
$function$;

COMMENT ON FUNCTION logintel._check_model(text, bytea, jsonb, jsonb) IS 'Raises an error unless the model reproduces its golden cases in this server.';
