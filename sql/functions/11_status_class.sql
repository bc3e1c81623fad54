-- Each argument stands once in the body, so that the planner can inline the function into the write path.
CREATE FUNCTION logintel.status_class(http_status integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce((ARRAY['1xx', '2xx', '3xx', '4xx', '5xx'])[http_status / 100], '');

COMMENT ON FUNCTION logintel.status_class(integer) IS 'Class of an HTTP status, 1xx to 5xx; empty when there is none.';
