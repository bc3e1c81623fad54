-- The fidelity gate: a model comes in only when whoever is to score with it here gives its golden cases the outputs
-- that scikit-learn gave them. Both scorers are held to the same cases by the same comparison.
CREATE OR REPLACE FUNCTION logintel._check_golden_cases(name text, metadata jsonb, golden jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    fault text;
    wanted text[] := CASE metadata ->> 'kind' WHEN 'classifier' THEN '{label,probabilities}'::text[] ELSE '{score}' END;
BEGIN
    IF jsonb_typeof(golden) <> 'array' OR golden = '[]' THEN
        fault := 'has no golden cases: give a list of shapes with expected outputs';
    ELSIF jsonb_array_length(golden) > 1000 THEN
        fault := 'has more than 1000 golden cases';
    ELSE
        SELECT 'a golden case lacks ' || quote_literal(k.key) INTO fault
        FROM jsonb_array_elements(golden) WITH ORDINALITY AS c (golden_case, n)
        CROSS JOIN LATERAL (
            SELECT u.key, u.key = ANY (wanted || '{shape}') AS outside FROM unnest('{shape}' || wanted) AS u (key)
            UNION ALL
            SELECT f.key, false
            FROM unnest('{template,service,source_type,level,status_class,latency_bucket}'::text[]) AS f (key)) AS k
        WHERE jsonb_typeof(CASE WHEN k.outside THEN c.golden_case -> k.key ELSE c.golden_case -> 'shape' -> k.key END)
              IS DISTINCT FROM CASE WHEN k.key = 'shape' THEN 'object' WHEN k.key = 'probabilities' THEN 'array'
                                    WHEN k.key = 'score' THEN 'number' ELSE 'string' END
        ORDER BY c.n, k.outside DESC LIMIT 1;
    END IF;
    IF fault IS NULL AND EXISTS (SELECT FROM jsonb_array_elements(golden) AS c (golden_case)
                                 CROSS JOIN jsonb_array_elements(c.golden_case -> 'probabilities') AS p (value)
                                 WHERE NOT logintel._is_figure(p.value)) THEN
        fault := 'has golden cases with probabilities that are no numbers';
    ELSIF fault IS NULL AND EXISTS (SELECT FROM jsonb_array_elements(golden) AS c (golden_case)
                                    WHERE c.golden_case ? 'score'
                                      AND NOT logintel._is_figure(c.golden_case -> 'score')) THEN
        fault := 'has golden cases with a score that is no number';
    END IF;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'model % %', name || CASE WHEN fault LIKE 'a %' THEN ':' ELSE '' END, fault
            USING ERRCODE = 'invalid_parameter_value', HINT = 'models/README.md describes golden cases.';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_golden_cases(text, jsonb, jsonb) IS 'Raises an error unless the golden cases of a model are complete.';


-- labels and outputs are what a scorer said of the golden cases, in their order; an output for each class, or one
-- score.
CREATE OR REPLACE FUNCTION logintel._compare_golden(
    name text, metadata jsonb, golden jsonb, labels text[], outputs jsonb, scorer text
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    classes jsonb := coalesce(metadata -> 'classes', '[0]');
    found record;
BEGIN
    FOR found IN
        SELECT c.n, c.golden_case ->> 'label' AS label, labels[c.n] AS said,
               coalesce(c.golden_case -> 'probabilities', jsonb_build_array(c.golden_case -> 'score')) AS expected,
               outputs -> (c.n - 1)::integer AS got
        FROM jsonb_array_elements(golden) WITH ORDINALITY AS c (golden_case, n) ORDER BY c.n
    LOOP
        IF found.label IS DISTINCT FROM found.said THEN
            RAISE EXCEPTION 'model %: golden case % is ''%'' in scikit-learn, ''%'' in this server%; '
                'the conversion changed the model',
                name, found.n, found.label, found.said, scorer USING ERRCODE = 'invalid_parameter_value';
        ELSIF found.label IS NOT NULL AND NOT classes ? found.label THEN
            RAISE EXCEPTION 'model %: golden case % is ''%'', which is none of its classes %',
                name, found.n, found.label, classes USING ERRCODE = 'invalid_parameter_value';
        ELSIF jsonb_array_length(found.got) <> jsonb_array_length(classes) THEN
            RAISE EXCEPTION 'model % gives % probabilities for %', name, jsonb_array_length(found.got), classes
                USING ERRCODE = 'invalid_parameter_value';
        ELSIF NOT coalesce(logintel._largest_difference(found.expected, found.got) <= 1e-5, false) THEN
            RAISE EXCEPTION 'model %: golden case % is off by%, more than 1e-05%; the conversion changed the model',
                name, found.n, to_char(logintel._largest_difference(found.expected, found.got), '9.9EEEE'), scorer
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._compare_golden(text, jsonb, jsonb, text[], jsonb, text) IS 'Raises an error unless a scorer said of the golden cases what scikit-learn did.';


CREATE OR REPLACE FUNCTION logintel._largest_difference(expected jsonb, got jsonb) RETURNS double precision
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN jsonb_array_length($1) = jsonb_array_length($2) THEN
                max(abs((e.value #>> '{}')::double precision - ($2 ->> (e.n - 1)::integer)::double precision)) END
    FROM jsonb_array_elements($1) WITH ORDINALITY AS e (value, n);
$function$;

COMMENT ON FUNCTION logintel._largest_difference(jsonb, jsonb) IS 'The largest difference between two lists of numbers; null where one is longer.';
