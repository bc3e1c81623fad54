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
                        coalesce(quote_literal(kind), 'null'))
        WHEN missing IS NOT NULL THEN 'its metadata lacks ' || missing
        WHEN kind = 'outlier' THEN logintel._fault_of_outlier(metadata)
        ELSE logintel._fault_of_classes(name, metadata -> 'classes') END;
BEGIN
    fault := coalesce(fault, 'its baseline ' || logintel._fault_of_baseline(metadata -> 'baseline'));
    -- Sessions of any DateStyle read it.
    IF fault IS NULL AND metadata ->> 'trained_at' !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}' THEN
        fault := 'its metadata cannot be read: trained_at is no time as 2026-01-31T12:00:00+00:00';
    END IF;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'model %: %', name, fault
            USING ERRCODE = 'invalid_parameter_value', HINT = 'models/README.md says what each key holds.';
    END IF;
    PERFORM (metadata ->> 'accuracy')::double precision, (metadata ->> 'macro_f1')::double precision,
            (metadata ->> 'accuracy_time_split')::double precision,
            (metadata ->> 'accuracy_random_split')::double precision,
            (metadata #>> '{samples,lines}')::bigint, (metadata ->> 'trained_at')::timestamptz,
            (metadata ->> 'shape_version')::integer, (metadata ->> 'replaces')::integer,
            (metadata ->> 'tokens_version')::integer, (metadata #>> '{trained_from,lines}')::bigint,
            (metadata #>> '{trained_with,lines}')::bigint;
EXCEPTION WHEN invalid_text_representation OR numeric_value_out_of_range OR invalid_datetime_format
               OR datetime_field_overflow THEN
    RAISE EXCEPTION 'model %: its metadata cannot be read: %', name, SQLERRM
        USING ERRCODE = 'invalid_parameter_value', HINT = 'models/README.md says what each key holds.';
END
$function$;

COMMENT ON FUNCTION logintel._check_metadata(text, jsonb) IS 'Raises an error unless everything can be read that is read of a model''s metadata.';


CREATE OR REPLACE FUNCTION logintel._fault_of_outlier(metadata jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN jsonb_typeof(metadata -> 'vocabulary') <> 'array'
         OR jsonb_path_exists(metadata -> 'vocabulary', 'strict $[*] ? (@.type() != "string")')
        THEN 'its vocabulary is no list of words'
    WHEN jsonb_typeof(metadata -> 'center') <> 'number' OR jsonb_typeof(metadata -> 'scale') <> 'number'
        THEN 'its center or its scale is no number' END;

COMMENT ON FUNCTION logintel._fault_of_outlier(jsonb) IS 'What is wrong with what an outlier model needs, null for nothing.';


CREATE OR REPLACE FUNCTION logintel._fault_of_classes(name text, classes jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN jsonb_typeof(classes) <> 'array' OR jsonb_path_exists(classes, 'strict $[*] ? (@.type() != "string")')
        THEN 'its classes are no list of names'
    WHEN name = 'level' AND NOT classes <@ '["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]'
        THEN format('its classes are %s; they can be DEBUG, INFO, WARN, ERROR, FATAL', classes)
    WHEN name = 'anomaly' AND NOT classes ? 'none'
        THEN 'its classes lack ''none'', which lines that are no anomaly have' END;

COMMENT ON FUNCTION logintel._fault_of_classes(text, jsonb) IS 'What is wrong with the classes of a classifier, null for nothing.';


-- What keeps a baseline from being compared with, if anything: the upkeep relies on it. models/README.md documents it.
CREATE OR REPLACE FUNCTION logintel._fault_of_baseline(baseline jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE
        WHEN $1 IS NULL THEN NULL
        WHEN jsonb_typeof($1) <> 'object' THEN 'is no object'
        WHEN jsonb_typeof(coalesce($1 -> 'services', '{}')) <> 'object' THEN 'has services that are no object'
        WHEN part.fault IS NOT NULL THEN 'needs lines, classes, confidence (10 numbers) and usual' || part.fault
        WHEN NOT logintel._are_shares($1 -> 'mix', false) THEN 'needs mix, the share of each service'
        WHEN $1 ? 'hours' AND $1 -> 'hours' <> 'null' AND NOT logintel._are_numbers($1 -> 'hours', 24)
            THEN 'has hours that are not 24 numbers'
        WHEN $1 ? 'anomaly_threshold' AND NOT logintel._is_number($1 -> 'anomaly_threshold')
            THEN 'has an anomaly_threshold that is no number'
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
              jsonb_typeof(s.part) = 'object' AND logintel._is_number(s.part -> 'lines') AND s.part -> 'lines' > '0'
              AND logintel._are_shares(s.part -> 'classes', false) AND logintel._are_numbers(s.part -> 'confidence', 10)
              AND logintel._are_shares(s.part -> 'usual', true))) AS part;
$function$;

COMMENT ON FUNCTION logintel._fault_of_baseline(jsonb) IS 'What is wrong with the baseline in a model''s metadata, null for nothing.';


CREATE OR REPLACE FUNCTION logintel._is_number(value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(jsonb_typeof(value) = 'number' AND value >= '0', false);

COMMENT ON FUNCTION logintel._is_number(jsonb) IS 'Whether a value is a number of 0 and more.';


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
            THEN (SELECT coalesce(bool_and(logintel._is_number(e.value) OR (or_null AND e.value = 'null')), true)
                  FROM jsonb_each("values") AS e)
            ELSE false END;

COMMENT ON FUNCTION logintel._are_shares(jsonb, boolean) IS 'Whether a value maps names to numbers.';
