-- The fields of a line, in the order of the view log_lines. %s in an expression is the column of the log table that
-- holds the field. The expressions never fail, whatever the column holds: an insert must not be refused over a number
-- that is out of range.
CREATE FUNCTION logintel._line_fields() RETURNS TABLE (
    name text, type text, type_category text, required boolean, expression text
)
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    VALUES
        ('id', 'bigint', 'key', true, '%s::bigint'),
        ('timestamp', 'timestamptz', 'D', false, '%s::timestamptz'),
        ('level', 'text', NULL, false, '%s::text'),
        ('message', 'text', NULL, true, '%s::text'),
        ('source_type', 'text', NULL, false, '%s::text'),
        ('host', 'text', NULL, false, '%s::text'),
        ('service', 'text', NULL, false, '%s::text'),
        ('category', 'text', NULL, false, '%s::text'),
        ('is_anomaly', 'boolean', 'B', false, '%s::boolean'),
        ('anomaly_type', 'text', NULL, false, '%s::text'),
        ('http_status', 'integer', 'N', false, 'CASE WHEN %1$s BETWEEN 0 AND 999 THEN %1$s::integer END'),
        ('response_time_ms', 'double precision', 'N', false,
         'CASE WHEN %1$s BETWEEN 0 AND 1e12 THEN %1$s::double precision END');
END;

COMMENT ON FUNCTION logintel._line_fields() IS 'Fields that a log table can hold, the types of columns they take (pg_type.typcategory), and how each is read.';
