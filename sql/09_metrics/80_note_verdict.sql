-- A verdict changes the figures of the hours that its lines are of; which these are is looked up when they are measured.
CREATE OR REPLACE FUNCTION logintel._note_verdict() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    INSERT INTO logintel_internal.changed_verdicts (feedback_id) VALUES (NEW.id);
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._note_verdict() IS 'Trigger on feedback: lets the upkeep measure again what a verdict is about.';

CREATE OR REPLACE TRIGGER note_verdict AFTER INSERT OR UPDATE OF is_current, true_level, true_category, is_anomaly ON logintel_internal.feedback
    FOR EACH ROW EXECUTE FUNCTION logintel._note_verdict();
