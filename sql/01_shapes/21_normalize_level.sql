CREATE OR REPLACE FUNCTION logintel.normalize_level(name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT n.level FROM logintel.level_names n WHERE n.name = lower(btrim(normalize_level.name)));

COMMENT ON FUNCTION logintel.normalize_level(text) IS 'The level that a spelling stands for (DEBUG, INFO, WARN, ERROR, FATAL); null for an unknown one. Spellings are in level_names.';
