CREATE OR REPLACE FUNCTION logintel._line_expression(log_table regclass, columns jsonb, field text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT CASE WHEN NOT columns ? field THEN format('NULL::%s', f.type)
                WHEN a.atttypid = ANY (f.plain_types) THEN format('t.%I::%s', columns ->> field, f.type)
                ELSE format(f.expression, format('t.%I', columns ->> field)) END
    FROM logintel._line_fields() f
    LEFT JOIN pg_attribute a ON a.attrelid = log_table AND a.attname = columns ->> field
    WHERE f.name = field);

COMMENT ON FUNCTION logintel._line_expression(regclass, jsonb, text) IS 'SQL that reads a field from a row t of the log table.';
