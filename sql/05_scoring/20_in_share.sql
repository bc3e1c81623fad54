-- Which side of a split test serves a line: decided by the line's key alone, so it is the same whoever asks and whenever,
-- and another for the next test. A hash takes each of 2^64 values alike.
CREATE OR REPLACE FUNCTION logintel._in_share(line_id bigint, test_id integer, share double precision) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashint8extended(line_id, test_id) < ((share - 0.5) * 18446744073709551616.0::double precision)::bigint;

COMMENT ON FUNCTION logintel._in_share(bigint, integer, double precision) IS 'Whether the challenger of a split test serves the line.';
