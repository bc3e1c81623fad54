-- Loggers count differently: 4 is a warning of syslog, an error of .NET, and information to Windows. A scale is kept
-- with the attachment as what its numbers mean, so no other table has to be there when a restore brings it.
CREATE OR REPLACE FUNCTION logintel._level_scale(scale text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    numbers text := CASE lower(scale)
        WHEN 'syslog' THEN '0 1 2,3,4,5 6,7'
        WHEN 'pino' THEN '60,50,40,30,10 20'
        WHEN 'python' THEN '50,40 45,30 35,20 25,5 10 15'
        WHEN 'dotnet' THEN '5,4,3,2,0 1'
        WHEN 'otel' THEN '21 22 23 24,17 18 19 20,13 14 15 16,9 10 11 12,1 2 3 4 5 6 7 8'
        WHEN 'monolog' THEN '550 600,400 500,300,200 250,100'
        -- Version 2 counts downwards; version 1 and Logback count upwards in thousands.
        WHEN 'log4j' THEN '100 50000,200 40000,300 30000,400 20000,500 600 5000 10000'
        WHEN 'windows' THEN '1,2,3,0 4,5'
        WHEN 'ruby' THEN '4,3,2,1,0'
        WHEN 'logrus' THEN '0 1,2,3,4,5 6'
        WHEN 'zap' THEN '3 4 5,2,1,0,-1'
        WHEN 'slog' THEN '12,8,4,0,-4 -8' END;
    own jsonb;
BEGIN
    IF numbers IS NOT NULL THEN
        RETURN (SELECT jsonb_object_agg(number, ('{FATAL,ERROR,WARN,INFO,DEBUG}'::text[])[g.n])
                FROM string_to_table(numbers, ',') WITH ORDINALITY AS g (numbers, n),
                     string_to_table(g.numbers, ' ') AS number);
    ELSIF scale IS NULL THEN
        RETURN '{}';
    END IF;
    BEGIN
        own := (SELECT jsonb_object_agg(o.key, logintel.normalize_level(o.value))
                FROM jsonb_each_text(scale::jsonb) AS o);
    EXCEPTION WHEN invalid_text_representation OR invalid_parameter_value THEN
        own := NULL;
    END;
    IF own IS NULL OR jsonb_path_exists(own, '$.* ? (@ == null)') THEN
        RAISE EXCEPTION 'there is no level scale %', quote_literal(left(scale, 200))
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'It takes syslog, pino, python, dotnet, otel, log4j, monolog, windows, ruby, logrus, '
                      'zap, slog, or your own such as '
                      '{"0": "DEBUG", "1": "INFO"}.';
    END IF;
    RETURN own;
END
$function$;

COMMENT ON FUNCTION logintel._level_scale(text) IS 'What the numbers of a scale of levels mean: of one with a name, or of an own one, a JSON object.';
