-- The functions behind the triggers on the log tables. Their bodies depend on what columns are called, so these are
-- replaced by what _write_trigger_functions() makes.
CREATE OR REPLACE FUNCTION logintel._score_new_lines() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE OR REPLACE FUNCTION logintel._score_changed_lines() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE OR REPLACE FUNCTION logintel._forget_deleted_lines() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';

COMMENT ON FUNCTION logintel._score_new_lines() IS 'Trigger on the log table: scores inserted lines.';
COMMENT ON FUNCTION logintel._score_changed_lines() IS 'Trigger on the log table: scores lines again whose shape changed.';
COMMENT ON FUNCTION logintel._forget_deleted_lines() IS 'Trigger on the log table: a deleted line takes its prediction along.';
