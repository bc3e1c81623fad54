-- How a line finds its score: lines of one hash have one shape. The planner inlines it into the write path.
-- The hash means nothing else and is stored with the score, so a server whose hash function differs would score
-- shapes once more and lose nothing.
CREATE FUNCTION logintel.shape_hash(
    message text, service text, source_type text, level text, http_status integer, response_time_ms double precision
) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended(
    logintel.mask(message), logintel._context_hash(service, source_type, level, http_status, response_time_ms));

COMMENT ON FUNCTION logintel.shape_hash(text, text, text, text, integer, double precision) IS '64-bit hash by which a line finds the score of its shape.';
