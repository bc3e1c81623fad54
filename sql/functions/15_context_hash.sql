-- The part of a line's hash that is not the message. It tells apart what shape() tells apart and has to do no more, so it
-- takes the columns nearly as they are: each function in here costs a one-row insert more than all that it computes.
-- Each field's hash seeds the next one's, so that no two different contexts are one string.
CREATE FUNCTION logintel._context_hash(
    service text, source_type text, level text, http_status integer, response_time_ms double precision
) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended(coalesce(service, '') COLLATE "C",
       hashtextextended(coalesce(source_type, '') COLLATE "C",
       hashtextextended(coalesce(level, '') COLLATE "C",
           coalesce(http_status / 100, 0) * 8
           + coalesce(width_bucket(response_time_ms, ARRAY[100, 500, 1000, 5000, 30000]::double precision[]), 7))));

COMMENT ON FUNCTION logintel._context_hash(text, text, text, integer, double precision) IS '64-bit hash of the context of a line.';
