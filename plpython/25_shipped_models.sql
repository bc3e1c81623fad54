CREATE OR REPLACE FUNCTION logintel._shipped_models() RETURNS TABLE (name text, onnx bytea, metadata jsonb, golden jsonb)
LANGUAGE plpython3u STABLE SET search_path = pg_catalog, pg_temp AS
$function$
@IMPORT@
from logintel_server import shipped
return shipped.models()
$function$;

COMMENT ON FUNCTION logintel._shipped_models() IS 'The default models as make install put them beside the server package.';
