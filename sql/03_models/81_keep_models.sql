-- Predictions, deployments and sets name versions by id, so a row that they name stays, whoever asks. A restore's own
-- deletions come out of a trigger: they make room for rows with the same ids.
CREATE OR REPLACE FUNCTION logintel._keep_model() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._refuse_if_used(OLD.id);
    IF EXISTS (SELECT FROM logintel_internal.deployments d WHERE OLD.id IN (d.model_id, d.replaced_model_id))
       OR EXISTS (SELECT FROM logintel_internal.model_sets s WHERE OLD.id = ANY (s.model_ids)) THEN
        RAISE EXCEPTION 'model % % cannot be deleted: it has been in force or in a test, and its predictions name it', OLD.name, OLD.version
            USING ERRCODE = 'object_in_use', HINT = 'Retire it with logintel.retire(), and free its bytes with logintel.drop_model().';
    END IF;
    RETURN OLD;
END
$function$;

COMMENT ON FUNCTION logintel._keep_model() IS 'Trigger on models: versions that are used, or were, are not deleted.';

CREATE OR REPLACE TRIGGER keep_model BEFORE DELETE ON logintel_internal.models
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION logintel._keep_model();
