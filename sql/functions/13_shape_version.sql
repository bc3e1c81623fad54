-- Raise this whenever shape() gives another result for any line: models record it.
CREATE FUNCTION logintel.shape_version() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 1;

COMMENT ON FUNCTION logintel.shape_version() IS 'Version of the shape function; a model records the one it was trained with.';
