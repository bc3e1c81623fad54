CREATE OR REPLACE FUNCTION logintel._remember_setting() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    INSERT INTO logintel_internal.settings_history (name, old_value, new_value) VALUES (NEW.name, OLD.value, NEW.value);
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._remember_setting() IS 'Trigger on settings: remembers every change.';

CREATE OR REPLACE TRIGGER remember_setting AFTER UPDATE ON logintel.settings
    FOR EACH ROW WHEN (OLD.value <> NEW.value) EXECUTE FUNCTION logintel._remember_setting();
