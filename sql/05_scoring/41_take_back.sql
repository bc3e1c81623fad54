-- A dump holds the partitions of predictions, which are no part of the extension. Who restores it owns them then, all
-- of them with pg_restore --no-owner, and the keeper could not drop a day.
CREATE OR REPLACE FUNCTION logintel._installer_take_back() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS
$function$
DECLARE
    keeper oid := logintel._installer_keeper();
    astray record;
    taken bigint := 0;
BEGIN
    FOR astray IN
        SELECT c.oid::regclass AS name FROM pg_class c
        WHERE c.relnamespace = 'logintel_internal'::regnamespace AND c.relowner <> keeper
          AND c.oid IN (SELECT i.inhrelid FROM pg_inherits i
              WHERE i.inhparent = 'logintel_internal.predictions'::regclass)
          AND pg_has_role(current_user, c.relowner, 'USAGE') AND pg_has_role(current_user, keeper, 'USAGE')
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO %s', astray.name, keeper::regrole);
        taken := taken + 1;
    END LOOP;
    RETURN taken;
END
$function$;

COMMENT ON FUNCTION logintel._installer_take_back() IS 'Gives the partitions of predictions to the role that keeps logintel; returns how many.';

CREATE OR REPLACE FUNCTION logintel._task_050_take_back_what_was_restored() RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'SELECT logintel._installer_take_back()';

COMMENT ON FUNCTION logintel._task_050_take_back_what_was_restored() IS 'Task of the upkeep: makes what a restore gave to another role the keeper''s again.';
