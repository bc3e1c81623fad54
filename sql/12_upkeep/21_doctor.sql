-- Each check in a function of its own, so that one that fails says so and the others still run.
CREATE OR REPLACE FUNCTION logintel.doctor() RETURNS TABLE ("check" text, status text, detail text, next_step text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    part text;
BEGIN
    FOREACH part IN ARRAY ARRAY['python', 'models', 'settings', 'log table', 'triggers', 'lines', 'upkeep'] LOOP
        BEGIN
            RETURN QUERY EXECUTE format('SELECT %L, c.* FROM logintel.%I() c', part, '_check_' || replace(part, ' ', '_'));
        EXCEPTION WHEN OTHERS THEN
            "check" := part;
            status := 'problem';
            detail := SQLERRM;
            next_step := CASE part WHEN 'python' THEN 'run "make install" for this server, then start a new session'
                                   WHEN 'models' THEN 'deploy another version: SELECT logintel.deploy(name, version)'
                                   ELSE 'mend what the detail names' END;
            RETURN NEXT;
        END;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel.doctor() IS 'Checks everything that scoring needs and says what to do about each problem. status is ok, note or problem.';
