-- The fields of a line, in the order of the view log_lines. %s in an expression is the column of the log table that
-- holds the field. The expressions never fail, whatever the column holds: an insert must not be refused over a number
-- that is out of range. Columns of the plain types are read by a cast alone, which spares every write the comparisons.
CREATE OR REPLACE FUNCTION logintel._line_fields() RETURNS TABLE (
    name text, type text, type_category text, required boolean, plain_types regtype[], expression text
)
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    VALUES
        ('id', 'bigint', 'key', true, NULL::regtype[], '%s::bigint'),
        ('timestamp', 'timestamptz', 'D', false, NULL, '%s::timestamptz'),
        ('level', 'text', NULL, false, NULL, '%s::text'),
        ('message', 'text', NULL, true, NULL, '%s::text'),
        ('source_type', 'text', NULL, false, NULL, '%s::text'),
        ('host', 'text', NULL, false, NULL, '%s::text'),
        ('service', 'text', NULL, false, NULL, '%s::text'),
        ('category', 'text', NULL, false, NULL, '%s::text'),
        ('is_anomaly', 'boolean', 'B', false, NULL, '%s::boolean'),
        ('anomaly_type', 'text', NULL, false, NULL, '%s::text'),
        ('http_status', 'integer', 'N', false, '{int2,int4}',
         'CASE WHEN %1$s BETWEEN 0 AND 999 THEN %1$s::integer END'),
        ('response_time_ms', 'double precision', 'N', false, '{int2,int4,int8,float4,float8}',
         'CASE WHEN %1$s BETWEEN 0 AND 1e12 THEN %1$s::double precision END');
END;

COMMENT ON FUNCTION logintel._line_fields() IS 'Fields that a log table can hold, the types of columns they take (pg_type.typcategory), and how each is read.';
