-- Each argument stands once in the body, so that the planner can inline the function into the write path.
CREATE FUNCTION logintel.latency_bucket(response_time_ms double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(
    (ARRAY['<100ms', '<500ms', '<1s', '<5s', '<30s', '>=30s'])[
        1 + width_bucket(response_time_ms, ARRAY[100, 500, 1000, 5000, 30000]::double precision[])],
    '');

COMMENT ON FUNCTION logintel.latency_bucket(double precision) IS 'Bucket of a response time in milliseconds, <100ms to >=30s; empty when there is none.';
