-- SQL that reads a field from a row t of the log table. It never fails, whatever the column holds: an insert must not
-- be refused over a number that is out of range. And it runs nobody's code: a type of pg_catalog is read by a cast of
-- pg_catalog, any other by its output function, which only a superuser can define, where a cast to text would be
-- whatever the owner of the type says.
--
-- The text is parsed under the search_path of who asks: constants have the types of the columns, so that each
-- operator is exactly one of pg_catalog.
--
-- A time without a zone is one of the zone that the log table was attached in, whoever writes or reads it.
CREATE OR REPLACE FUNCTION logintel._line_expression(log_table regclass, columns jsonb, time_zone text, field text)
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT CASE
        WHEN a.attname IS NULL THEN format('NULL::%s', f.type)
        WHEN f.type = 'text' AND b.namespace <> 'pg_catalog'::regnamespace
            THEN format('nullif(pg_catalog.format(''%%s'', t.%I), '''')', a.attname)
        WHEN b.type = 'timestamp'::regtype
            THEN format('CASE WHEN t.%1$I::timestamp BETWEEN ''0001-01-03'' AND ''9999-12-29'' '
                        'THEN t.%1$I::timestamp AT TIME ZONE %2$L END', a.attname, time_zone)
        WHEN b.type = 'date'::regtype
            THEN format('CASE WHEN t.%1$I::date BETWEEN ''0001-01-03'' AND ''9999-12-29'' '
                        'THEN t.%1$I::date::timestamp AT TIME ZONE %2$L END', a.attname, time_zone)
        WHEN f.name = 'http_status' AND b.type <> ALL ('{int2,int4}'::regtype[])
            THEN format('CASE WHEN t.%1$I::%2$s BETWEEN 0::%2$s AND 999::%2$s THEN t.%1$I::integer END', a.attname,
                b.type)
        WHEN f.name = 'response_time_ms' AND b.type = 'numeric'::regtype
            THEN format('CASE WHEN t.%1$I::numeric BETWEEN 0::numeric AND 1e12::numeric '
                        'THEN t.%1$I::double precision END', a.attname)
        ELSE format('t.%I::%s', a.attname, f.type) END
    FROM logintel._line_fields() f
    LEFT JOIN pg_attribute a ON a.attrelid = log_table AND a.attname = columns ->> field AND a.attnum > 0
                                AND NOT a.attisdropped
    LEFT JOIN LATERAL (SELECT t.oid::regtype AS type, t.typnamespace AS namespace FROM pg_type t
                       WHERE t.oid = logintel._base_type(a.atttypid)) AS b ON true
    WHERE f.name = field);

-- A trigger function is parsed anew when a column has got another type, and a cast to the old one would then be
-- whatever somebody defined. So the value is converted only while its type is the one that this was written for.
CREATE OR REPLACE FUNCTION logintel._new_line_expression(
    log_table regclass, columns jsonb, time_zone text, field text
) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT CASE WHEN a.attname IS NULL THEN e.expression
                ELSE format('CASE WHEN pg_typeof(t.%I) = %s::oid THEN %s END', a.attname, a.atttypid, e.expression) END
    FROM (SELECT logintel._line_expression(log_table, columns, time_zone, field) AS expression) AS e
    LEFT JOIN pg_attribute a ON a.attrelid = log_table AND a.attname = columns ->> field AND a.attnum > 0
                                AND NOT a.attisdropped);

COMMENT ON FUNCTION logintel._new_line_expression(regclass, jsonb, text, text) IS 'SQL that reads a field from a row t of a transition table of the log table.';

COMMENT ON FUNCTION logintel._line_expression(regclass, jsonb, text, text) IS 'SQL that reads a field from a row t of the log table, null where it has no column for it.';
