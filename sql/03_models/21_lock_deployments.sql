-- For who registers, deploys, retires or tests models or changes the mode. Upkeep does none of it, and takes no part.
CREATE OR REPLACE FUNCTION logintel._lock_deployments() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'SELECT logintel._lock(''deployments'')';

COMMENT ON FUNCTION logintel._lock_deployments() IS 'Waits until no other session registers, deploys, retires or tests models or changes the mode, until the end of the transaction.';
