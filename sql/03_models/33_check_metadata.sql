-- JSON has numbers of any size. What is computed with these stays within what double precision can say.
CREATE OR REPLACE FUNCTION logintel._is_number(value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(jsonb_typeof(value) = 'number' AND (value = '0' OR value BETWEEN '1e-100' AND '1e15'), false);

COMMENT ON FUNCTION logintel._is_number(jsonb) IS 'Whether a value is 0, or a number from 1e-100 to 1e15.';


CREATE OR REPLACE FUNCTION logintel._is_figure(value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(jsonb_typeof(value) = 'number' AND (value = '0' OR value BETWEEN '5e-324' AND '1e15'
                                                    OR value BETWEEN '-1e15' AND '-5e-324'), false);

COMMENT ON FUNCTION logintel._is_figure(jsonb) IS 'Whether a value is 0, or a number of either sign from 5e-324 to 1e15.';


-- A model is one value of each argument; whatever reads them reads them whole.
CREATE OR REPLACE FUNCTION logintel._check_size(name text, onnx bytea, metadata jsonb, golden jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT p.* FROM (VALUES
            ('graph', octet_length(onnx)::bigint, 67108864), ('metadata', octet_length(metadata::text), 16777216),
            ('golden cases', octet_length(golden::text), 16777216)) AS p (what, bytes, most)
        WHERE p.bytes > p.most LIMIT 1 LOOP
        RAISE EXCEPTION 'model %: its % of % bytes is more than the % that a model may have',
            name, part.what, part.bytes, part.most
            USING ERRCODE = 'program_limit_exceeded', HINT = 'Train with fewer words or templates.';
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._check_size(text, bytea, jsonb, jsonb) IS 'Raises an error where a part of a model is larger than 64 MB (the graph) or 16 MB.';


-- What views, training and scoring read of a model's metadata has to be there, and to be what it says: one version
-- whose figures cannot be read would be an error of every view that shows them.
CREATE OR REPLACE FUNCTION logintel._check_metadata(name text, metadata jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    kind text := CASE WHEN jsonb_typeof(metadata) = 'object' THEN metadata ->> 'kind' END;
    missing text := (
        SELECT string_agg(k, ', ' ORDER BY n)
        FROM unnest(CASE kind WHEN 'classifier' THEN '{classes}'::text[] ELSE '{vocabulary,center,scale}' END)
             WITH ORDINALITY AS u (k, n)
        WHERE NOT metadata ? k);
    fault text := CASE
        WHEN kind IS NULL OR kind NOT IN ('classifier', 'outlier') OR (kind = 'outlier' AND name <> 'anomaly')
            THEN format('its metadata has the kind %s; use classifier, or outlier for anomaly',
                        coalesce(quote_literal(left(kind, 100)), 'null'))
        WHEN missing IS NOT NULL THEN 'its metadata lacks ' || missing
        WHEN metadata ? 'tokenizer' AND jsonb_typeof(metadata -> 'tokenizer') <> 'string'
            THEN 'its tokenizer is no text'
        WHEN metadata ? 'members'
            THEN 'its metadata has members, as only ensembles have, which logintel.create_ensemble() makes'
        WHEN metadata ? 'vocabulary' AND logintel._fault_of_vocabulary(metadata -> 'vocabulary') IS NOT NULL
            THEN logintel._fault_of_vocabulary(metadata -> 'vocabulary')
        WHEN kind = 'outlier' THEN logintel._fault_of_outlier(metadata)
        ELSE logintel._fault_of_classes(name, metadata -> 'classes') END;
BEGIN
    fault := coalesce(fault, 'its baseline ' || logintel._fault_of_baseline(metadata -> 'baseline'),
                      'its metadata cannot be read: '
                      || coalesce(logintel._fault_of_figures(metadata), logintel._fault_of_time(metadata)));
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'model %: %', name, fault
            USING ERRCODE = 'invalid_parameter_value', HINT = 'models/README.md says what each key holds.';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_metadata(text, jsonb) IS 'Raises an error unless everything can be read that is read of a model''s metadata.';


-- Whole numbers are versions and numbers of lines, which are multiplied by ten; 1.0 is no integer to a cast.
CREATE OR REPLACE FUNCTION logintel._fault_of_figures(metadata jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT format('%s is no%s number from 0 to %s', array_to_string(f.path, '.'),
                  CASE WHEN f.whole THEN ' whole' ELSE '' END, f.most)
    FROM (VALUES ('{accuracy}'::text[], false, 1e15), ('{macro_f1}', false, 1e15),
                 ('{accuracy_time_split}', false, 1e15), ('{accuracy_random_split}', false, 1e15),
                 ('{samples,lines}', true, 1e15), ('{trained_from,lines}', true, 1e15),
                 ('{trained_with,lines}', true, 1e15), ('{shape_version}', true, 1e9), ('{tokens_version}', true, 1e9),
                 ('{replaces}', true, 1e9)) AS f (path, whole, most)
    WHERE coalesce($1 #> f.path, 'null') <> 'null'
      AND NOT CASE WHEN logintel._is_number($1 #> f.path) THEN
                       ($1 #>> f.path)::numeric <= f.most AND (NOT f.whole OR ($1 #>> f.path) ~ '^[0-9]+$')
                   ELSE false END
    LIMIT 1;
$function$;

COMMENT ON FUNCTION logintel._fault_of_figures(jsonb) IS 'What is wrong with the numbers that views and advice read of a model''s metadata, null for nothing.';


-- Sessions of any DateStyle and time zone read it.
CREATE OR REPLACE FUNCTION logintel._fault_of_time(metadata jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    fault CONSTANT text := 'trained_at is no time as 2026-01-31T12:00:00+00:00';
    given text := metadata ->> 'trained_at';
BEGIN
    IF given !~ ('^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?'
                 || '(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?$') THEN
        RETURN fault;
    END IF;
    RETURN CASE WHEN given::timestamptz NOT BETWEEN '1970-01-01 00:00:00+00' AND '2999-12-31 00:00:00+00'
                THEN fault END;
EXCEPTION WHEN data_exception THEN
    RETURN fault;
END
$function$;

COMMENT ON FUNCTION logintel._fault_of_time(jsonb) IS 'What is wrong with the time that a model was trained at, null for nothing.';


CREATE OR REPLACE FUNCTION logintel._fault_of_vocabulary(vocabulary jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN jsonb_typeof(vocabulary) <> 'array'
                 OR jsonb_path_exists(vocabulary, 'strict $[*] ? (@.type() != "string")')
            THEN 'its vocabulary is no list of words' END;

COMMENT ON FUNCTION logintel._fault_of_vocabulary(jsonb) IS 'What is wrong with the words that a model knows, null for nothing.';


CREATE OR REPLACE FUNCTION logintel._fault_of_outlier(metadata jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN NOT logintel._is_figure(metadata -> 'center') OR NOT logintel._is_number(metadata -> 'scale')
         OR metadata -> 'scale' < '1e-15'
        THEN 'its center or its scale is no number, or its scale is not above 0' END;

COMMENT ON FUNCTION logintel._fault_of_outlier(jsonb) IS 'What is wrong with the curve of an outlier model, null for nothing.';


CREATE OR REPLACE FUNCTION logintel._fault_of_classes(name text, classes jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN jsonb_typeof(classes) <> 'array' OR jsonb_path_exists(classes, 'strict $[*] ? (@.type() != "string")')
        THEN 'its classes are no list of names'
    WHEN jsonb_array_length(classes) NOT BETWEEN 1 AND 200
         OR (SELECT count(DISTINCT c) FROM jsonb_array_elements(classes) AS c) < jsonb_array_length(classes)
        THEN 'its classes are not 1 to 200 different ones'
    WHEN EXISTS (SELECT FROM jsonb_array_elements_text(classes) AS c
                 WHERE length(c) NOT BETWEEN 1 AND 100 OR c ~ '[[:cntrl:]]')
        THEN 'the name of a class is empty, longer than 100 characters, or has control characters'
    WHEN name = 'level' AND NOT classes <@ '["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]'
        THEN format('its classes are %s; they can be DEBUG, INFO, WARN, ERROR, FATAL', classes)
    WHEN name = 'anomaly' AND NOT classes ? 'none'
        THEN 'its classes lack ''none'', which lines that are no anomaly have'
    WHEN name = 'anomaly' AND classes = '["none"]'
        THEN 'its classes have no type of anomaly' END;

COMMENT ON FUNCTION logintel._fault_of_classes(text, jsonb) IS 'What is wrong with the classes of a classifier, null for nothing.';


-- What keeps a baseline from being compared with, if anything: the upkeep relies on it. models/README.md documents it.
CREATE OR REPLACE FUNCTION logintel._fault_of_baseline(baseline jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE
        WHEN $1 IS NULL THEN NULL
        WHEN jsonb_typeof($1) <> 'object' THEN 'is no object'
        WHEN jsonb_typeof(coalesce($1 -> 'services', '{}')) <> 'object' THEN 'has services that are no object'
        WHEN part.fault IS NOT NULL
            THEN 'needs lines, classes, confidence (10 numbers) and usual' || left(part.fault, 200)
        WHEN NOT logintel._are_shares($1 -> 'mix', false) THEN 'needs mix, the share of each service'
        WHEN $1 ? 'hours' AND $1 -> 'hours' <> 'null' AND NOT logintel._are_numbers($1 -> 'hours', 24)
            THEN 'has hours that are not 24 numbers'
        WHEN $1 ? 'anomaly_threshold' AND NOT (logintel._is_number($1 -> 'anomaly_threshold')
             AND ($1 -> 'anomaly_threshold' = '0' OR $1 -> 'anomaly_threshold' BETWEEN '1e-30' AND '1'))
            THEN 'has an anomaly_threshold that is no number from 0 to 1'
        ELSE (SELECT format('has %s that are no list of strings', k) FROM unnest('{templates,vocabulary}'::text[]) AS k
              WHERE $1 ? k AND (jsonb_typeof($1 -> k) <> 'array'
                                OR jsonb_path_exists($1 -> k, 'strict $[*] ? (@.type() != "string")'))
              ORDER BY k LIMIT 1) END
    FROM (SELECT min(s.place) AS fault
          FROM (SELECT '' AS place, $1 AS part
                UNION ALL
                SELECT format(' of service %L', e.key), e.value
                FROM jsonb_each(CASE WHEN jsonb_typeof($1 -> 'services') = 'object'
                                     THEN $1 -> 'services' ELSE '{}' END) AS e) AS s
          WHERE $1 IS NOT NULL AND NOT (
              jsonb_typeof(s.part) = 'object' AND octet_length(s.place) <= 1015
              AND logintel._is_number(s.part -> 'lines') AND s.part -> 'lines' > '0'
              AND logintel._are_shares(s.part -> 'classes', false) AND logintel._are_numbers(s.part -> 'confidence', 10)
              AND logintel._are_shares(s.part -> 'usual', true))) AS part;
$function$;

COMMENT ON FUNCTION logintel._fault_of_baseline(jsonb) IS 'What is wrong with the baseline in a model''s metadata, null for nothing.';


CREATE OR REPLACE FUNCTION logintel._are_numbers("values" jsonb, count integer) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN jsonb_typeof("values") = 'array'
            THEN jsonb_array_length("values") = count
                 AND (SELECT coalesce(bool_and(logintel._is_number(e.v)), true)
                      FROM jsonb_array_elements("values") AS e (v))
            ELSE false END;

COMMENT ON FUNCTION logintel._are_numbers(jsonb, integer) IS 'Whether a value is a list of so many numbers.';


CREATE OR REPLACE FUNCTION logintel._are_shares("values" jsonb, or_null boolean) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN jsonb_typeof("values") = 'object'
            THEN (SELECT coalesce(bool_and((logintel._is_number(e.value) OR (or_null AND e.value = 'null'))
                                           AND octet_length(e.key) <= 1000), true)
                  FROM jsonb_each("values") AS e)
            ELSE false END;

COMMENT ON FUNCTION logintel._are_shares(jsonb, boolean) IS 'Whether a value maps names, of at most 1,000 bytes, to numbers.';
