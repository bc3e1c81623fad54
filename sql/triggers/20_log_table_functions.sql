-- The functions behind the triggers on the log table. Their bodies depend on what its columns are called, so these
-- are replaced by what _write_trigger_functions() makes.
CREATE FUNCTION logintel.score_new_lines() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION logintel.score_changed_lines() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION logintel.forget_deleted_lines() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';

COMMENT ON FUNCTION logintel.score_new_lines() IS 'Trigger on the log table: scores inserted lines.';
COMMENT ON FUNCTION logintel.score_changed_lines() IS 'Trigger on the log table: scores lines again whose shape changed.';
COMMENT ON FUNCTION logintel.forget_deleted_lines() IS 'Trigger on the log table: a deleted line takes its prediction along.';

-- Where nothing is left, everything starts afresh; where only a partition was truncated, its lines are looked for.
CREATE FUNCTION logintel.forget_truncated_lines() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF NOT EXISTS (SELECT FROM logintel.log_lines) THEN
        PERFORM logintel._forget_all_lines();
    ELSE
        PERFORM logintel._remove_predictions(ARRAY(
            SELECT p.log_entry_id FROM logintel.predictions p
            WHERE NOT EXISTS (SELECT FROM logintel.log_lines l WHERE l.id = p.log_entry_id)));
    END IF;
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel.forget_truncated_lines() IS 'Trigger on the log table: truncated lines take their predictions along.';
