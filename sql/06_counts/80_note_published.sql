CREATE OR REPLACE FUNCTION logintel._note_published() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    INSERT INTO logintel.published_scores (score_id) VALUES (NEW.id);
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._note_published() IS 'Trigger on shape_scores: notes which scores became canonical. Writers make none, and never run it.';

CREATE OR REPLACE TRIGGER note_published AFTER INSERT OR UPDATE OF canonical ON logintel.shape_scores
    FOR EACH ROW WHEN (NEW.canonical) EXECUTE FUNCTION logintel._note_published();
