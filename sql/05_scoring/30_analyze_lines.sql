-- jsonb_to_record would stop at the first ill-typed value without naming it, hence the check of each element.
CREATE OR REPLACE FUNCTION logintel.analyze(logs jsonb) RETURNS SETOF logintel.analysis
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    bad record;
BEGIN
    IF jsonb_typeof(logs) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'analyze needs a JSON array of log objects, not %', coalesce(jsonb_typeof(logs), 'null')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Write it as [{"message": "...", "service": "..."}].';
    END IF;
    SELECT e.n, f.name, e.log INTO bad
    FROM jsonb_array_elements(logs) WITH ORDINALITY AS e (log, n)
    LEFT JOIN unnest(ARRAY['http_status', 'response_time_ms']) AS f (name)
        ON e.log ->> f.name !~ E'^\\s*-?[0-9]{1,15}(\\.[0-9]+)?\\s*$'
    WHERE jsonb_typeof(e.log) <> 'object' OR f.name IS NOT NULL
    ORDER BY e.n LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'analyze: element % %', bad.n,
            CASE WHEN bad.name IS NULL THEN 'is not an object'
                 ELSE format('has the %s %s, which is no number', bad.name, bad.log -> bad.name) END
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Write each element as {"message": "...", "http_status": 500}.';
    END IF;
    RETURN QUERY SELECT * FROM logintel._analyze(ARRAY(
        SELECT logintel._shape(e.log ->> 'message', e.log ->> 'service', e.log ->> 'source_type', e.log ->> 'level',
                              CASE WHEN s.status BETWEEN 0 AND 999 THEN s.status::integer END,
                              (e.log ->> 'response_time_ms')::double precision)
        FROM jsonb_array_elements(logs) WITH ORDINALITY AS e (log, n),
             LATERAL (SELECT (e.log ->> 'http_status')::numeric) AS s (status)
        ORDER BY e.n));
END
$function$;

COMMENT ON FUNCTION logintel.analyze(jsonb) IS 'What the models in force say of log objects with the fields of a log line: an array in, one row each out.';
