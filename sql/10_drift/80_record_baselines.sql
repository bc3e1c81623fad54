-- Once for all rows of a statement: a restore may bring an ensemble before its members.
CREATE OR REPLACE FUNCTION logintel._record_new_baselines() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._record_baselines(ARRAY(SELECT n.id FROM new_models n));
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._record_new_baselines() IS 'Trigger on models: takes the baselines out of their metadata.';

CREATE OR REPLACE TRIGGER record_baselines AFTER INSERT ON logintel_internal.models REFERENCING NEW TABLE AS new_models
    FOR EACH STATEMENT EXECUTE FUNCTION logintel._record_new_baselines();

-- Versions that were there before this trigger.
SELECT logintel._record_baselines(ARRAY(
    SELECT m.id FROM logintel_internal.models m WHERE NOT EXISTS (SELECT FROM logintel_internal.baselines b
        WHERE b.model_id = m.id)));
