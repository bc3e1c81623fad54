CREATE OR REPLACE FUNCTION logintel._active_model_set() RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT d.model_set_id FROM logintel.deployments d ORDER BY d.id DESC LIMIT 1);

COMMENT ON FUNCTION logintel._active_model_set() IS 'The model set in force, under the snapshot of the statement; null when nothing is deployed.';
