CREATE OR REPLACE FUNCTION logintel.analyze(message text) RETURNS SETOF logintel.analysis
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT * FROM logintel._analyze(ARRAY[logintel._shape($1, NULL, NULL, NULL, NULL, NULL)])
$function$;

COMMENT ON FUNCTION logintel.analyze(text) IS 'What the models in force say of a message, without storing anything.';
