CREATE FUNCTION logintel._line_expression(columns jsonb, field text) RETURNS text
LANGUAGE sql STABLE
RETURN (
    SELECT CASE WHEN columns ? field THEN format(f.expression, format('t.%I', columns ->> field))
                ELSE format('NULL::%s', f.type) END
    FROM logintel._line_fields() f WHERE f.name = field);

COMMENT ON FUNCTION logintel._line_expression(jsonb, text) IS 'SQL that reads a field from a row t of the attached table.';
