CREATE OR REPLACE FUNCTION logintel._check_051_python(OUT status text, OUT detail text, OUT next_step text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    status := 'ok';
    detail := logintel._python_versions();
EXCEPTION WHEN OTHERS THEN
    status := 'problem';
    detail := SQLERRM;
    next_step := 'run "make install" for this server, then start a new session';
END
$function$;

COMMENT ON FUNCTION logintel._check_051_python() IS 'Check of doctor(): Python, packages and versions.';
