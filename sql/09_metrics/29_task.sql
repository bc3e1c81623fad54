CREATE OR REPLACE FUNCTION logintel._task_091_measure_windows() RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'SELECT logintel._measure_windows()';

COMMENT ON FUNCTION logintel._task_091_measure_windows() IS 'Task of the upkeep: measures the models in the hours that changed.';
