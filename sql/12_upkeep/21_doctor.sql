-- Each check is a function of its capability, so that one that fails says so and the others still run.
CREATE OR REPLACE FUNCTION logintel.doctor() RETURNS TABLE ("check" text, status text, detail text, next_step text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    handler text;
BEGIN
    FOREACH handler IN ARRAY ARRAY(SELECT logintel._handlers('check')) LOOP
        BEGIN
            RETURN QUERY EXECUTE format('SELECT logintel._handler_words(%L), c.* FROM logintel.%1$I() c', handler);
        EXCEPTION WHEN OTHERS THEN
            "check" := logintel._handler_words(handler);
            status := 'problem';
            detail := SQLERRM;
            next_step := 'mend what the detail names';
            RETURN NEXT;
        END;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel.doctor() IS 'Checks everything that scoring needs and says what to do about each problem: a row for each check, or for each thing that is wrong. status is ok, note or problem.';
