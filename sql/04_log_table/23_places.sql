-- A mapping names a column, a place in a column of type json or jsonb (data->>log,
-- data->'http'->>'status', data.http.status), several such places of one column, of which the first counts that is
-- there, or null for a field that is to be left out.
CREATE OR REPLACE FUNCTION logintel._place(log_table regclass, source text)
RETURNS TABLE (column_name name, paths jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH arrows AS (
        SELECT array_agg(trim(trim(p.part), '''"') ORDER BY p.n) AS parts
        FROM regexp_split_to_table(source, '->>?') WITH ORDINALITY AS p (part, n)),
    places AS (
        SELECT c.name, NULL::jsonb AS paths, 0 AS n FROM logintel._table_columns(log_table) c WHERE c.name = source
        UNION ALL
        SELECT c.name, jsonb_build_array(to_jsonb(a.parts[2:])), 1
        FROM arrows a JOIN logintel._table_columns(log_table) c ON c.name = a.parts[1] AND c.kind = 'document'
        WHERE cardinality(a.parts) > 1
        UNION ALL
        -- A dot may be a part of a key, too.
        SELECT c.name, CASE WHEN r.rest LIKE '%.%'
                            THEN jsonb_build_array(to_jsonb(string_to_array(r.rest, '.')), jsonb_build_array(r.rest))
                            ELSE jsonb_build_array(jsonb_build_array(r.rest)) END, 2
        FROM logintel._table_columns(log_table) c
        CROSS JOIN LATERAL (SELECT substr(source, length(c.name) + 2) AS rest) AS r
        WHERE c.kind = 'document' AND starts_with(source, c.name || '.') AND r.rest <> '')
    SELECT p.name, p.paths FROM places p ORDER BY p.n, length(p.name) DESC LIMIT 1;
END;

COMMENT ON FUNCTION logintel._place(regclass, text) IS 'The column that a mapping names, and the paths in it; no row where the table has none such.';

CREATE OR REPLACE FUNCTION logintel._given_place(log_table regclass, field text, source jsonb)
RETURNS TABLE (column_name name, paths jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    sources text[];
    place record;
BEGIN
    sources := CASE jsonb_typeof(source) WHEN 'string' THEN ARRAY[source #>> '{}']
                                         WHEN 'array' THEN ARRAY(SELECT jsonb_array_elements_text(source)) END;
    SELECT min(p.column_name::text)::name AS column_name, max(p.column_name::text)::name AS other_column,
           jsonb_agg(t.path ORDER BY s.n, t.n) FILTER (WHERE t.path IS NOT NULL) AS paths,
           coalesce(min(s.given) FILTER (WHERE p.column_name IS NULL), CASE WHEN count(*) = 0 THEN source::text END)
               AS lacking
    INTO place
    FROM unnest(sources) WITH ORDINALITY AS s (given, n)
    LEFT JOIN LATERAL logintel._place(log_table, s.given) p ON true
    LEFT JOIN LATERAL jsonb_array_elements(p.paths) WITH ORDINALITY AS t (path, n) ON true;
    IF place.lacking IS NOT NULL THEN
        RAISE EXCEPTION 'table % has no column "%" for the field "%"', log_table, place.lacking, field
            USING ERRCODE = 'undefined_column',
                  HINT = format('Name a column, or a place in a column of type json or jsonb: '
                                'SELECT logintel.attach(%L, ''{"%s": "your_column->>key"}'').', log_table, field);
    ELSIF place.column_name <> place.other_column OR cardinality(sources) > 1 AND place.paths IS NULL THEN
        RAISE EXCEPTION 'the field "%" of % is mapped to several columns', field, log_table
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name one column, or several places in one document.';
    END IF;
    RETURN QUERY SELECT place.column_name, place.paths;
END
$function$;

COMMENT ON FUNCTION logintel._given_place(regclass, text, jsonb) IS 'The column, and the paths in it, that a mapping gives for a field; an error names what the table does not have.';
