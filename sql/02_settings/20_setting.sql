CREATE OR REPLACE FUNCTION logintel._setting(name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT s.value FROM logintel.settings s WHERE s.name = _setting.name);

COMMENT ON FUNCTION logintel._setting(text) IS 'Value of a setting.';
