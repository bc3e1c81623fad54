-- The lock comes first: a deployment and a change of mode at the same time must not overwrite each other's result.
CREATE FUNCTION logintel._refresh_in_force() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    LOCK TABLE logintel.deployments IN SHARE ROW EXCLUSIVE MODE;
    UPDATE logintel.in_force SET model_set_id =
        CASE WHEN logintel._setting('mode') <> 'off' THEN logintel._active_model_set() END;
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._refresh_in_force() IS 'Trigger on deployments and settings: keeps in_force.';

CREATE TRIGGER refresh_in_force AFTER INSERT OR UPDATE OR DELETE ON logintel.deployments
    FOR EACH STATEMENT EXECUTE FUNCTION logintel._refresh_in_force();
CREATE TRIGGER refresh_in_force AFTER UPDATE ON logintel.settings
    FOR EACH ROW WHEN (NEW.name = 'mode') EXECUTE FUNCTION logintel._refresh_in_force();
