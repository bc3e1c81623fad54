CREATE OR REPLACE FUNCTION logintel._check_125_installation(OUT status text, OUT detail text, OUT next_step text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    installed text := (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'logintel');
    python text := (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'logintel_python');
    -- pg_tle keeps the control file of an extension as a function.
    of_pg_tle boolean := EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = to_regnamespace('pgtle')
                                                         AND p.proname = 'logintel.control');
BEGIN
    detail := CASE WHEN installed IS NULL THEN format('plain installation of logintel %s', logintel._release())
                   WHEN of_pg_tle THEN format('extension logintel %s of pg_tle', installed)
                   ELSE format('extension logintel %s', installed) END
              || coalesce(' with logintel_python ' || python,
                          ', no PL/Python: models that are not linear are scored by logintel worker');
    IF python <> installed THEN
        status := 'problem';
        next_step := 'ALTER EXTENSION logintel UPDATE; ALTER EXTENSION logintel_python UPDATE';
    ELSE
        status := 'ok';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_125_installation() IS 'Check of doctor(): how logintel was installed, which release, and what it lacks.';
