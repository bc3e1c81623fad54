CREATE OR REPLACE FUNCTION logintel._model_names(names text[] DEFAULT NULL) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    known text[] := '{level,category,anomaly}';
    unknown text := (SELECT min(n) FROM unnest(names) AS n WHERE n <> ALL (known));
BEGIN
    IF unknown IS NOT NULL OR array_position(names, NULL) IS NOT NULL OR names = '{}' THEN
        RAISE EXCEPTION 'unknown model name "%"', coalesce(unknown, '')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A model is called level, category or anomaly.';
    END IF;
    RETURN ARRAY(SELECT k FROM unnest(known) WITH ORDINALITY AS k (k, n) WHERE names IS NULL OR k = ANY (names) ORDER BY n);
END
$function$;

COMMENT ON FUNCTION logintel._model_names(text[]) IS 'Names of models, each once and in the usual order, by default all; an error where one is unknown.';
