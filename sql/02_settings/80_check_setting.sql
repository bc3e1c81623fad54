-- Refuses values that mean nothing, and lets the rows of a restored dump take the place of those that are there. Only a
-- restore inserts: that is no change of a setting, and settings_history has none of it.
CREATE OR REPLACE FUNCTION logintel._check_setting() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF NEW.name = 'mode' AND NEW.value NOT IN ('inline', 'deferred', 'off') THEN
        RAISE EXCEPTION 'setting mode cannot be "%"', NEW.value
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It takes inline, deferred or off.';
    ELSIF NEW.name IN ('anomaly_threshold', 'classification_min_confidence')
          AND (NEW.value !~ '^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$') THEN
        RAISE EXCEPTION 'setting % cannot be "%"', NEW.name, NEW.value
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It takes a number from 0 to 1, such as 0.75.';
    ELSIF NEW.name = 'retention_days' AND NEW.value !~ '^[0-9]{1,5}$' THEN
        RAISE EXCEPTION 'setting retention_days cannot be "%"', NEW.value
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It takes a number of days; 0 keeps all.';
    ELSIF NEW.name = 'known_shapes' AND NEW.value !~ '^[1-9][0-9]{2,7}$' THEN
        RAISE EXCEPTION 'setting known_shapes cannot be "%"', NEW.value
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It takes a number from 100 to 99999999.';
    ELSIF NEW.name = 'promotion' AND NEW.value NOT IN ('test', 'now', 'manual') THEN
        RAISE EXCEPTION 'setting promotion cannot be "%"', NEW.value
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It takes test, now or manual.';
    ELSIF NEW.name = 'retrain_every_hours' AND NEW.value !~ '^([0-9]|1[0-9]|2[0-4])$' THEN
        RAISE EXCEPTION 'setting retrain_every_hours cannot be "%"', NEW.value
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It takes a number of hours from 1 to 24, or 0 for never.';
    END IF;
    IF TG_OP = 'INSERT' THEN
        DELETE FROM logintel.settings s WHERE s.name = NEW.name RETURNING s.description INTO NEW.description;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no setting "%"', NEW.name USING ERRCODE = 'undefined_parameter',
                HINT = 'SELECT name, description FROM logintel.settings lists them.';
        END IF;
    ELSIF NEW.name <> OLD.name THEN
        RAISE EXCEPTION 'setting "%" cannot be renamed', OLD.name USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION logintel._check_setting() IS 'Trigger on settings: refuses values that mean nothing.';

CREATE OR REPLACE TRIGGER check_setting BEFORE INSERT OR UPDATE ON logintel.settings
    FOR EACH ROW EXECUTE FUNCTION logintel._check_setting();
