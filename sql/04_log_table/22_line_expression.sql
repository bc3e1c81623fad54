-- SQL that reads a field from a value, which is a column of the log table. It never fails, whatever the column holds:
-- an insert must not be refused over a number that is out of range. And it runs nobody's code: a type of pg_catalog is
-- read by a cast of pg_catalog, any other by its output function, which only a superuser can define, where a cast to
-- text would be whatever the owner of the type says.
--
-- The text is parsed under the search_path of who asks: constants have the types of the columns, so that each operator
-- is exactly one of pg_catalog.
--
-- A time without a zone is one of the zone that the log table was attached in, whoever writes or reads it.
CREATE OR REPLACE FUNCTION logintel._document_expression(document text, paths jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT format('coalesce(%s)', string_agg(
        format('%s OPERATOR(pg_catalog.#>>) %L::text[]', document, k.keys), ', ' ORDER BY p.n))
    FROM jsonb_array_elements(coalesce(paths, '[[]]')) WITH ORDINALITY AS p (path, n)
    CROSS JOIN LATERAL (SELECT ARRAY(SELECT jsonb_array_elements_text(p.path))::text AS keys) AS k);

COMMENT ON FUNCTION logintel._document_expression(text, jsonb) IS 'SQL that reads a text from a document: at the first of these paths, lists of keys, where there is one; without paths, all of it.';

CREATE OR REPLACE FUNCTION logintel._text_expression(value text, column_type oid, paths jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT CASE WHEN t.typnamespace <> 'pg_catalog'::regnamespace
                    THEN format('nullif(pg_catalog.format(''%%s'', %s), '''')', value)
                WHEN t.oid = 'jsonb'::regtype
                    THEN logintel._document_expression(format('%s::jsonb', value), paths)
                WHEN t.oid = 'json'::regtype
                    THEN logintel._document_expression(format('logintel._readable(%s::json)', value), paths)
                ELSE format('%s::text', value) END
    FROM pg_type t WHERE t.oid = logintel._base_type(column_type));

COMMENT ON FUNCTION logintel._text_expression(text, oid, jsonb) IS 'SQL that reads a text from a value of this type; of a document, at these paths.';

CREATE OR REPLACE FUNCTION logintel._field_expression(
    field text, value text, column_type oid, paths jsonb, time_zone text
) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT CASE
        WHEN f.name = 'service' THEN format('logintel._service_name(%s)', b.as_text)
        WHEN f.type = 'text' THEN b.as_text
        WHEN b.type = ANY ('{json,jsonb,text,varchar,bpchar}'::regtype[]) THEN CASE f.type
            WHEN 'timestamptz' THEN format('logintel._time_of_text(%s, %L)', b.as_text, time_zone)
            WHEN 'integer' THEN format('logintel._status_of_text(%s)', b.as_text)
            WHEN 'double precision' THEN format('logintel._duration_of_text(%s)', b.as_text)
            WHEN 'boolean' THEN format('logintel._flag_of_text(%s)', b.as_text) END
        WHEN b.type = 'timestamp'::regtype
            THEN format('CASE WHEN %1$s::timestamp BETWEEN ''0001-01-03'' AND ''9999-12-29'' '
                        'THEN %1$s::timestamp AT TIME ZONE %2$L END', value, time_zone)
        WHEN b.type = 'date'::regtype
            THEN format('CASE WHEN %1$s::date BETWEEN ''0001-01-03'' AND ''9999-12-29'' '
                        'THEN %1$s::date::timestamp AT TIME ZONE %2$L END', value, time_zone)
        WHEN f.name = 'timestamp' AND b.type = 'numeric'::regtype
            THEN format('CASE WHEN %1$s::numeric BETWEEN 0::numeric AND 1e20::numeric '
                        'THEN logintel._time_of_number(%1$s::double precision) END', value)
        WHEN f.name = 'timestamp' AND b.type <> 'timestamptz'::regtype
            THEN format('logintel._time_of_number(%s::double precision)', value)
        WHEN f.name = 'http_status' AND b.type <> ALL ('{int2,int4}'::regtype[])
            THEN format('CASE WHEN %1$s::%2$s BETWEEN 0::%2$s AND 999::%2$s THEN %1$s::integer END', value, b.type)
        WHEN f.name = 'response_time_ms' AND b.type = 'numeric'::regtype
            THEN format('CASE WHEN %1$s::numeric BETWEEN 0::numeric AND 1e12::numeric '
                        'THEN %1$s::double precision END', value)
        ELSE format('%s::%s', value, f.type) END
    FROM logintel._line_fields() f
    CROSS JOIN (SELECT logintel._base_type(column_type) AS type,
                       logintel._text_expression(value, column_type, paths) AS as_text) AS b
    WHERE f.name = field);

COMMENT ON FUNCTION logintel._field_expression(text, text, oid, jsonb, text) IS 'SQL that reads a field from a value of this type; of a document, at these paths.';

CREATE OR REPLACE FUNCTION logintel._line_expression(attached logintel.attachments, field text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce(
    (SELECT logintel._field_expression(
         field, format('t.%I', a.attname), a.atttypid, ($1).paths -> field, ($1).time_zone)
     FROM pg_attribute a
     WHERE a.attrelid = ($1).log_table AND a.attname = ($1).columns ->> field AND a.attnum > 0 AND NOT a.attisdropped),
    (SELECT format('NULL::%s', f.type) FROM logintel._line_fields() f WHERE f.name = field));

COMMENT ON FUNCTION logintel._line_expression(logintel.attachments, text) IS 'SQL that reads a field from a row t of the log table, null where it has no column for it.';

-- Both have to be of one type: with any other there is no such function, so nothing is ever converted. It is inlined,
-- which a function with a search_path of its own is not; it names nothing.
CREATE OR REPLACE FUNCTION logintel._exactly(value anyelement, of_type anyelement) RETURNS anyelement
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT value';

COMMENT ON FUNCTION logintel._exactly(anyelement, anyelement) IS 'The first value, which has the type of the second, or the statement cannot be parsed.';

-- A trigger function is parsed anew when a column has got another type, and a cast to the old one would then be
-- whatever somebody defined, which the planner may run even where no line reaches it. So a value of a type of
-- pg_catalog is read only while that is its type. The name of any other type may come to mean another one: its output
-- function is asked, which only a superuser can define, and what that says is read as text.
CREATE OR REPLACE FUNCTION logintel._new_line_expression(attached logintel.attachments, field text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce(
    (SELECT CASE
         WHEN t.typnamespace = 'pg_catalog'::regnamespace
             THEN logintel._field_expression(
                 field, format('logintel._exactly(t.%I, NULL::%s)', a.attname, t.oid::regtype), t.oid,
                 ($1).paths -> field, ($1).time_zone)
         ELSE logintel._field_expression(
             field, format('nullif(pg_catalog.format(''%%s'', t.%I), '''')::%s', a.attname, b.type), b.type,
             ($1).paths -> field, ($1).time_zone) END
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     CROSS JOIN LATERAL (
         SELECT CASE WHEN u.typnamespace = 'pg_catalog'::regnamespace THEN u.oid ELSE 25 END::regtype AS type  -- text
         FROM pg_type u WHERE u.oid = logintel._base_type(t.oid)) AS b
     WHERE a.attrelid = ($1).log_table AND a.attname = ($1).columns ->> field AND a.attnum > 0 AND NOT a.attisdropped),
    logintel._line_expression($1, field));

COMMENT ON FUNCTION logintel._new_line_expression(logintel.attachments, text) IS 'SQL that reads a field from a row t of a transition table of the log table.';
