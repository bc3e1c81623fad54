-- The one place where a line becomes a shape; training and scoring both read it here.
CREATE FUNCTION logintel.shape(
    message text, service text, source_type text, level text, http_status integer, response_time_ms double precision
) RETURNS logintel.shape
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ROW(
    logintel.mask(message), left(coalesce(service, ''), 200), left(coalesce(source_type, ''), 200),
    left(coalesce(level, ''), 32), logintel.status_class(http_status), logintel.latency_bucket(response_time_ms)
)::logintel.shape;

COMMENT ON FUNCTION logintel.shape(text, text, text, text, integer, double precision) IS 'Shape of a line: the masked message and the context that models read.';
