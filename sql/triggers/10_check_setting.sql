-- Refuses values that mean nothing, and turns the rows of a restored dump into changes of the rows that are there.
CREATE FUNCTION logintel._check_setting() RETURNS trigger
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
    END IF;
    IF TG_OP = 'INSERT' THEN
        UPDATE logintel.settings s SET value = NEW.value WHERE s.name = NEW.name;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no setting "%"', NEW.name USING ERRCODE = 'undefined_parameter',
                HINT = 'SELECT name, description FROM logintel.settings lists them.';
        END IF;
        RETURN NULL;
    ELSIF NEW.name <> OLD.name THEN
        RAISE EXCEPTION 'setting "%" cannot be renamed', OLD.name USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION logintel._check_setting() IS 'Trigger on settings: refuses values that mean nothing.';

CREATE TRIGGER check_setting BEFORE INSERT OR UPDATE ON logintel.settings
    FOR EACH ROW EXECUTE FUNCTION logintel._check_setting();
