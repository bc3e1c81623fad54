CREATE OR REPLACE FUNCTION logintel._python_versions() RETURNS text
LANGUAGE plpython3u STABLE SET search_path = pg_catalog, pg_temp AS
$function$
@IMPORT@
from logintel_server import runtime
return runtime.versions(plpy)
$function$;

COMMENT ON FUNCTION logintel._python_versions() IS 'Versions of Python and of the packages that score, once they work together.';
