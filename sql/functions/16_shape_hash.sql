-- The hash of a line's shape without building the shape: the planner inlines it into the write path.
CREATE FUNCTION logintel.shape_hash(
    message text, service text, source_type text, level text, http_status integer, response_time_ms double precision
) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN logintel._hash_shape(
    logintel.mask(message), left(coalesce(service, ''), 200), left(coalesce(source_type, ''), 200),
    left(coalesce(level, ''), 32), logintel.status_class(http_status), logintel.latency_bucket(response_time_ms));

COMMENT ON FUNCTION logintel.shape_hash(text, text, text, text, integer, double precision) IS '64-bit hash of the shape of a line.';
