-- Each argument stands once in the body, so that the planner can inline the function into the write path.
CREATE OR REPLACE FUNCTION logintel._status_class(http_status integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce((ARRAY['1xx', '2xx', '3xx', '4xx', '5xx'])[http_status / 100], '');

COMMENT ON FUNCTION logintel._status_class(integer) IS 'Class of an HTTP status, 1xx to 5xx; empty when there is none.';

-- Each argument stands once in the body, so that the planner can inline the function into the write path.
CREATE OR REPLACE FUNCTION logintel._latency_bucket(response_time_ms double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(
    (ARRAY['<100ms', '<500ms', '<1s', '<5s', '<30s', '>=30s'])[
        1 + width_bucket(response_time_ms, ARRAY[100, 500, 1000, 5000, 30000]::double precision[])],
    '');

COMMENT ON FUNCTION logintel._latency_bucket(double precision) IS 'Bucket of a response time in milliseconds, <100ms to >=30s; empty when there is none.';

-- Raise this whenever _shape() gives another result for any line: models record it.
CREATE OR REPLACE FUNCTION logintel._shape_version() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 2;

COMMENT ON FUNCTION logintel._shape_version() IS 'Version of the shape function; a model records the one it was trained with.';

-- The one place where a line becomes a shape; training and scoring both read it here.
CREATE OR REPLACE FUNCTION logintel._shape(
    message text, service text, source_type text, level text, http_status integer, response_time_ms double precision
) RETURNS logintel.shape
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ROW(
    logintel.mask(message), left(coalesce(service, ''), 200), left(coalesce(source_type, ''), 200),
    left(coalesce(level, ''), 32), logintel._status_class(http_status), logintel._latency_bucket(response_time_ms)
)::logintel.shape;

COMMENT ON FUNCTION logintel._shape(text, text, text, text, integer, double precision) IS 'Shape of a line: the masked message and the context that models read.';

-- The part of a line's hash that is not the message. It tells apart what _shape() tells apart and has to do no more, so it
-- takes the columns nearly as they are: each function in here costs a one-row insert more than all that it computes.
-- Each field's hash seeds the next one's, so that no two different contexts are one string.
CREATE OR REPLACE FUNCTION logintel._context_hash(
    service text, source_type text, level text, http_status integer, response_time_ms double precision, seed bigint
) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended(coalesce(service, '') COLLATE "C",
       hashtextextended(coalesce(source_type, '') COLLATE "C",
       hashtextextended(coalesce(level, '') COLLATE "C",
           seed # (coalesce(http_status / 100, 0) * 8
                   + coalesce(width_bucket(response_time_ms, ARRAY[100, 500, 1000, 5000, 30000]::double precision[]), 7)))));

COMMENT ON FUNCTION logintel._context_hash(text, text, text, integer, double precision, bigint) IS '64-bit hash of the context of a line.';

-- How a line finds its score: lines of one hash have one shape. The planner inlines it into the write path.
-- The hash means nothing else and is stored with the score, so a server whose hash function differs would score
-- shapes once more and lose nothing. Without the seed, which is secret, nobody can write a message that has the hash of
-- another one.
CREATE OR REPLACE FUNCTION logintel._shape_hash(
    message text, service text, source_type text, level text, http_status integer, response_time_ms double precision,
    seed bigint
) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended(
    logintel.mask(message), logintel._context_hash(service, source_type, level, http_status, response_time_ms, seed));

COMMENT ON FUNCTION logintel._shape_hash(text, text, text, text, integer, double precision, bigint) IS '64-bit hash by which a line finds the score of its shape; seed is that of the log table, _shape_seed().';

-- Lines of two log tables never have one hash, and so no score in common. What an attachment's number changes in the seed
-- is above what the context changes in it. The first attachment is 0, so a database with one table keeps its hashes.
CREATE OR REPLACE FUNCTION logintel._shape_seed(attachment_id integer DEFAULT 0) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT s.seed # (attachment_id::bigint << 32) FROM logintel_internal.shape_seed s);

COMMENT ON FUNCTION logintel._shape_seed(integer) IS 'The secret of this database that hashes of shapes of an attached table are made with.';

-- 64 random bits: those of an UUID that are random.
CREATE OR REPLACE FUNCTION logintel._random_seed() RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN (SELECT ('x' || left(u.id, 8) || right(u.id, 8))::bit(64)::bigint FROM (SELECT gen_random_uuid()::text AS id) AS u);

COMMENT ON FUNCTION logintel._random_seed() IS 'A new seed for the hashes of shapes, that nobody can guess.';
