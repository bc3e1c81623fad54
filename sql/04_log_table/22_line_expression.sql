-- SQL that reads a field from a column of the log table. It never fails, whatever the column holds, and it runs
-- nobody's code: a type of pg_catalog is read by what pg_catalog has, any other by its output function, which only a
-- superuser can define, where a cast to text would be whatever the owner of the type says.
--
-- The text is parsed anew when a column has got another type, and under the search_path of who asks. So it names
-- everything by its schema, and reads a value of a type of pg_catalog only while that is its type: with any other there
-- is no function _exactly(). It is inlined, which a function with a search_path of its own is not; it names nothing.
CREATE OR REPLACE FUNCTION logintel._exactly(value anyelement, of_type anyelement) RETURNS anyelement
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT value';

COMMENT ON FUNCTION logintel._exactly(anyelement, anyelement) IS 'The first value, which has the type of the second, or the statement cannot be parsed.';

CREATE OR REPLACE FUNCTION logintel._document_expression(document text, paths jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT format('coalesce(%s)', string_agg(
        format('%s OPERATOR(pg_catalog.#>>) %L::pg_catalog.text[]', document, k.keys), ', ' ORDER BY p.n))
    FROM jsonb_array_elements(coalesce(paths, '[[]]')) WITH ORDINALITY AS p (path, n)
    CROSS JOIN LATERAL (SELECT ARRAY(SELECT jsonb_array_elements_text(p.path))::text AS keys) AS k);

COMMENT ON FUNCTION logintel._document_expression(text, jsonb) IS 'SQL that reads a text from a document: at the first of these paths, lists of keys, where there is one; without paths, all of it.';

CREATE OR REPLACE FUNCTION logintel._field_expression(
    field text, value text, value_type regtype, paths jsonb, time_zone text
) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT CASE
        WHEN f.name = 'service' THEN format('logintel._service_name(%s)', v.as_text)
        WHEN f.type = 'text' THEN v.as_text
        WHEN value_type = ANY ('{json,jsonb,text,varchar,bpchar}'::regtype[]) THEN CASE f.type
            WHEN 'timestamptz' THEN format('logintel._time_of_text(%s, %L)', v.as_text, time_zone)
            WHEN 'integer' THEN format('logintel._status_of_text(%s)', v.as_text)
            WHEN 'double precision' THEN format('logintel._duration_of_text(%s)', v.as_text)
            WHEN 'boolean' THEN format('logintel._flag_of_text(%s)', v.as_text) END
        WHEN value_type = 'timestamp'::regtype THEN format('logintel._time_in_zone(%s, %L)', value, time_zone)
        WHEN value_type = 'date'::regtype THEN format('logintel._time_of_date(%s, %L)', value, time_zone)
        WHEN f.name = 'timestamp' AND value_type <> 'timestamptz'::regtype
            THEN format('logintel._time_of_number(%s::numeric)', value)
        WHEN f.name = 'http_status' AND value_type <> ALL ('{int2,int4}'::regtype[])
            THEN format('logintel._status_of_number(%s::numeric)', value)
        WHEN f.name = 'response_time_ms' AND value_type = 'numeric'::regtype
            THEN format('logintel._duration_of_number(%s)', value)
        ELSE format('%s::%s', value, CASE f.type WHEN 'timestamptz' THEN 'pg_catalog.timestamptz' ELSE f.type END) END
    FROM logintel._line_fields() f
    CROSS JOIN (SELECT CASE value_type
        WHEN 'jsonb'::regtype THEN logintel._document_expression(value, paths)
        WHEN 'json'::regtype THEN format('logintel._text_of_json(%s, %L::pg_catalog.jsonb)', value,
                                     coalesce(paths, '[[]]'))
        ELSE format('%s::pg_catalog.text', value) END AS as_text) AS v
    WHERE f.name = field);

COMMENT ON FUNCTION logintel._field_expression(text, text, regtype, jsonb, text) IS 'SQL that reads a field from a value of this type of pg_catalog; of a document, at these paths.';

CREATE OR REPLACE FUNCTION logintel._line_expression(attached logintel_internal.attachments, field text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce(
    (SELECT logintel._field_expression(
         field, CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace
                     THEN format('logintel._exactly(t.%I, NULL::pg_catalog.%I)', a.attname, t.typname)
                     ELSE format('logintel._printed(pg_catalog.format(''%%s'', t.%I))::pg_catalog.%I', a.attname,
                                 b.name) END,
         b.type, ($1).paths -> field, ($1).time_zone)
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     CROSS JOIN LATERAL (
         SELECT r.type, (SELECT y.typname FROM pg_type y WHERE y.oid = r.type) AS name
         FROM (SELECT CASE u.typnamespace WHEN 'pg_catalog'::regnamespace THEN u.oid ELSE 'text'::regtype END AS type
               FROM pg_type u WHERE u.oid = logintel._base_type(t.oid)) AS r) AS b
     WHERE a.attrelid = ($1).log_table AND a.attname = ($1).columns ->> field AND a.attnum > 0 AND NOT a.attisdropped),
    (SELECT format('NULL::%s', CASE f.type WHEN 'text' THEN 'pg_catalog.text'
                                           WHEN 'timestamptz' THEN 'pg_catalog.timestamptz' ELSE f.type END)
     FROM logintel._line_fields() f WHERE f.name = field));

COMMENT ON FUNCTION logintel._line_expression(logintel_internal.attachments, text) IS 'SQL that reads a field from a row t of the log table, null where it has no column for it.';

CREATE OR REPLACE FUNCTION logintel._line_expressions(attached logintel_internal.attachments) RETURNS TABLE (
    field text, expression text
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT f.name, CASE WHEN f.name = 'level' AND ($1).level_scale <> '{}'
                        THEN format('logintel._level_of_scale(%s, %L::pg_catalog.jsonb)', e.expression,
                                    ($1).level_scale)
                        ELSE e.expression END
    FROM logintel._line_fields() f CROSS JOIN LATERAL logintel._line_expression($1, f.name) AS e (expression);
END;

COMMENT ON FUNCTION logintel._line_expressions(logintel_internal.attachments) IS 'SQL that reads each field from a row t of the log table, levels in the scale of the attachment.';
