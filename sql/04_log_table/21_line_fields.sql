-- The fields of a line, in the order of the view log_lines, and the types of columns that hold them; null for any. They
-- are types of pg_catalog, whose conversions nobody but a superuser can define, or domains over these.
CREATE OR REPLACE FUNCTION logintel._line_fields() RETURNS TABLE (
    name text, type text, required boolean, takes regtype[]
)
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    VALUES
        ('id', 'bigint', true, '{int2,int4,int8}'::regtype[]),
        ('timestamp', 'timestamptz', false,
         '{date,timestamp,timestamptz,int4,int8,numeric,float4,float8,text,varchar,bpchar}'),
        ('level', 'text', false, NULL),
        ('message', 'text', true, NULL),
        ('source_type', 'text', false, NULL),
        ('host', 'text', false, NULL),
        ('service', 'text', false, NULL),
        ('category', 'text', false, NULL),
        ('is_anomaly', 'boolean', false, '{bool}'),
        ('anomaly_type', 'text', false, NULL),
        ('http_status', 'integer', false, '{int2,int4,int8,numeric,float4,float8,text,varchar,bpchar}'),
        ('response_time_ms', 'double precision', false, '{int2,int4,int8,numeric,float4,float8,text,varchar,bpchar}');
END;

COMMENT ON FUNCTION logintel._line_fields() IS 'Fields that a log table can hold, and the types of columns that each is read from, null for all. A document (json or jsonb) is read by a path.';

CREATE OR REPLACE FUNCTION logintel._base_type(type oid) RETURNS regtype
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE types (oid, base) AS (
        SELECT t.oid, t.typbasetype FROM pg_type t WHERE t.oid = $1
        UNION ALL
        SELECT t.oid, t.typbasetype FROM types d JOIN pg_type t ON t.oid = d.base)
    SELECT d.oid FROM types d WHERE d.base = 0;
END;

COMMENT ON FUNCTION logintel._base_type(oid) IS 'The type that a domain is made of in the end; any other type is its own.';

-- The time by which a line is counted and kept. A time outside the years 1 to 9999, where clocks and sums of times
-- end, is none: the line counts when it is written.
CREATE OR REPLACE FUNCTION logintel._line_time("timestamp" timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN "timestamp" >= '0001-01-01 00:00+00'::timestamptz AND "timestamp" < '10000-01-01 00:00+00'::timestamptz
            THEN "timestamp" END;

COMMENT ON FUNCTION logintel._line_time(timestamptz) IS 'The time of a line; null where it has none in the years 1 to 9999.';

-- A prediction of a line without a time has its own.
CREATE OR REPLACE FUNCTION logintel._is_time_of(
    "timestamp" timestamptz, prediction_time timestamptz, predicted_at timestamptz
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(logintel._line_time("timestamp") = prediction_time, prediction_time = predicted_at, true);

COMMENT ON FUNCTION logintel._is_time_of(timestamptz, timestamptz, timestamptz) IS 'Whether a prediction can be of a line with that time: two lines may have one key. True for a null prediction_time.';
