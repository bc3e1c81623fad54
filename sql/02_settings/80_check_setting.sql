-- Refuses values that mean nothing, and lets the rows of a restored dump take the place of those that are there. Only a
-- restore inserts: that is no change of a setting, and settings_history has none of it.
CREATE OR REPLACE FUNCTION logintel._check_setting() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF TG_OP = 'INSERT' THEN
        DELETE FROM logintel.settings s WHERE s.name = NEW.name
        RETURNING s.description, s.pattern, s.hint INTO NEW.description, NEW.pattern, NEW.hint;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no setting "%"', NEW.name USING ERRCODE = 'undefined_parameter',
                HINT = 'SELECT name, description FROM logintel.settings lists them.';
        END IF;
    ELSIF NEW.name <> OLD.name THEN
        RAISE EXCEPTION 'setting "%" cannot be renamed', OLD.name USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NEW.value !~ format('^(%s)$', NEW.pattern) THEN
        RAISE EXCEPTION 'setting % cannot be "%"', NEW.name, NEW.value
            USING ERRCODE = 'invalid_parameter_value', HINT = NEW.hint;
    END IF;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION logintel._check_setting() IS 'Trigger on settings: refuses values that mean nothing.';

-- A restore takes the rows that are there away by the trigger above; nobody else may.
CREATE OR REPLACE FUNCTION logintel._keep_settings() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RAISE EXCEPTION 'settings cannot be deleted' USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Change one: UPDATE logintel.settings SET value = ... WHERE name = ...; REFERENCE.md has the defaults.';
END
$function$;

COMMENT ON FUNCTION logintel._keep_settings() IS 'Trigger on settings: every setting has a row.';

CREATE OR REPLACE TRIGGER keep_settings BEFORE DELETE ON logintel.settings
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION logintel._keep_settings();
CREATE OR REPLACE TRIGGER keep_all_settings BEFORE TRUNCATE ON logintel.settings
    FOR EACH STATEMENT EXECUTE FUNCTION logintel._keep_settings();
CREATE OR REPLACE TRIGGER check_setting BEFORE INSERT OR UPDATE ON logintel.settings
    FOR EACH ROW EXECUTE FUNCTION logintel._check_setting();
