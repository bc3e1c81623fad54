-- A function of its own, so that the planner does not add the cost of a count that is hardly ever made to each reading of
-- ml_status, and compile it.
CREATE OR REPLACE FUNCTION logintel._count_lines() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RETURN (SELECT count(*) FROM logintel.log_lines);
END
$function$;

COMMENT ON FUNCTION logintel._count_lines() IS 'Number of lines in the log table, counted.';
