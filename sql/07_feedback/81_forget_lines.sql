CREATE OR REPLACE FUNCTION logintel._on_lines_forgotten_071_feedback(subject bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'UPDATE logintel_internal.feedback f SET log_entry_id = NULL WHERE f.log_entry_id IS NOT NULL AND f.attachment_id '
    '= subject';

COMMENT ON FUNCTION logintel._on_lines_forgotten_071_feedback(bigint) IS 'Keeps verdicts when all lines are gone, as those of lines that are gone.';

-- A table that is truncated may give its keys anew.
CREATE OR REPLACE FUNCTION logintel._on_lines_deleted_071_feedback(subject bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'SELECT logintel._on_lines_forgotten_071_feedback(subject)';

COMMENT ON FUNCTION logintel._on_lines_deleted_071_feedback(bigint) IS 'Keeps verdicts when all lines are gone, though others read and count.';
