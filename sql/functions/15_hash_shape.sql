-- Each field's hash seeds the next one's, so no two different shapes are one string. The hash is how a line finds its
-- score, never what it means: predictions point to the score itself, so a server whose hash function differs
-- would score shapes once more and lose nothing.
CREATE FUNCTION logintel._hash_shape(
    template text, service text, source_type text, level text, status_class text, latency_bucket text
) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended(template COLLATE "C",
       hashtextextended(service COLLATE "C",
       hashtextextended(source_type COLLATE "C",
       hashtextextended(level COLLATE "C",
       hashtextextended(status_class COLLATE "C",
       hashtextextended(latency_bucket COLLATE "C", 0))))));

COMMENT ON FUNCTION logintel._hash_shape(text, text, text, text, text, text) IS '64-bit hash of the fields of a shape.';
