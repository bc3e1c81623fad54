-- Which side of a split test serves a line: decided by the line's key alone, so it is the same whoever asks and whenever,
-- and another for the next test. A hash takes each of 2^64 values alike.
CREATE OR REPLACE FUNCTION logintel._in_share(line_id bigint, test_id integer, share double precision) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashint8extended(line_id, test_id) < ((share - 0.5) * 18446744073709551616.0::double precision)::bigint;

COMMENT ON FUNCTION logintel._in_share(bigint, integer, double precision) IS 'Whether the challenger of a split test serves the line.';

CREATE OR REPLACE FUNCTION logintel._serving() RETURNS TABLE (model_set_id integer, test_id integer, share double precision, challenger_set_id integer)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT logintel._active_model_set(), t.id, t.share, t.challenger_set_id
    FROM (VALUES (true)) AS always
    LEFT JOIN logintel.ab_tests t ON t.ended_at IS NULL AND t.share > 0;
END;

COMMENT ON FUNCTION logintel._serving() IS 'What serves lines, under the snapshot of the statement: the model set in force, and the split test that runs, null without one.';
