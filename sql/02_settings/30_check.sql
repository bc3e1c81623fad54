CREATE OR REPLACE FUNCTION logintel._check_021_settings() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN s.value = 'inline' THEN 'ok' ELSE 'note' END, format('mode = %s', s.value),
           CASE WHEN s.value <> 'inline' THEN 'let "logintel worker" run, or set mode to inline' END
    FROM logintel.settings s WHERE s.name = 'mode';
END;

COMMENT ON FUNCTION logintel._check_021_settings() IS 'Check of doctor(): whether lines are scored at the write.';
