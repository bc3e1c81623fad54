CREATE OR REPLACE FUNCTION logintel._task_101_judge_drift() RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'SELECT logintel._judge_drift()';

COMMENT ON FUNCTION logintel._task_101_judge_drift() IS 'Task of the upkeep: judges drift on the days whose counts changed.';

CREATE OR REPLACE FUNCTION logintel._on_lines_forgotten_101_drift(subject bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'DELETE FROM logintel.drift_days';

COMMENT ON FUNCTION logintel._on_lines_forgotten_101_drift(bigint) IS 'Forgets which days are to be judged when all lines are gone.';
