-- When other sessions began is shown to the role that installed logintel, where that is a superuser.
CREATE OR REPLACE FUNCTION logintel._installer_session_began(pid integer) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT a.backend_start FROM pg_stat_activity a WHERE a.pid = $1 AND a.datname = current_database());

COMMENT ON FUNCTION logintel._installer_session_began(integer) IS 'When the session of this database with that process id began; null where there is none.';
