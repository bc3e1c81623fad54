-- The part of a line's hash that is not the message. It only has to tell apart what shape() tells apart, so it takes the
-- columns nearly as they are: each function call in here costs a one-row insert more than all it computes. The unit
-- separator keeps neighbouring fields apart.
CREATE FUNCTION logintel._context_hash(
    service text, source_type text, level text, http_status integer, response_time_ms double precision
) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN hashtextextended(
    concat(service, U&'\001f', source_type, U&'\001f', level, U&'\001f', http_status / 100, U&'\001f',
           width_bucket(response_time_ms, ARRAY[100, 500, 1000, 5000, 30000]::double precision[])) COLLATE "C", 0);

COMMENT ON FUNCTION logintel._context_hash(text, text, text, integer, double precision) IS '64-bit hash of the context of a line.';
