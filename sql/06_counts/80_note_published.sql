CREATE OR REPLACE FUNCTION logintel._note_published() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    INSERT INTO logintel_internal.published_scores (score_id) VALUES (NEW.id);
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._note_published() IS 'Trigger on scores: notes which scores became canonical. Writers make none, and never run it.';

CREATE OR REPLACE TRIGGER note_published AFTER INSERT OR UPDATE OF canonical ON logintel_internal.scores
    FOR EACH ROW WHEN (NEW.canonical) EXECUTE FUNCTION logintel._note_published();

-- A duplicate that is evicted when another score of its shape is published may have no line: its own was rolled back.
CREATE OR REPLACE FUNCTION logintel._note_duplicate() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    INSERT INTO logintel_internal.unused_scores (score_id, evicted_txid) VALUES (NEW.id, NEW.evicted_txid);
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._note_duplicate() IS 'Trigger on scores: notes which scores were evicted as duplicates, to be removed where no line has them.';

CREATE OR REPLACE TRIGGER note_duplicate AFTER UPDATE OF evicted_txid ON logintel_internal.scores
    FOR EACH ROW WHEN (NEW.evicted_txid IS NOT NULL AND OLD.evicted_txid IS NULL AND NOT OLD.canonical)
    EXECUTE FUNCTION logintel._note_duplicate();
