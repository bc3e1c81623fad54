CREATE OR REPLACE FUNCTION logintel._on_lines_forgotten_071_feedback(subject bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'UPDATE logintel.feedback SET log_entry_id = NULL WHERE log_entry_id IS NOT NULL';

COMMENT ON FUNCTION logintel._on_lines_forgotten_071_feedback(bigint) IS 'Keeps verdicts when all lines are gone, as those of lines that are gone.';
