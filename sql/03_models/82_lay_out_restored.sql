-- A restore brings what serves, but none of the rows that are made of graphs: they are made where serving is filled.
-- Where the models are not there yet, upkeep makes them; a model that cannot be used keeps no restore from going on.
CREATE OR REPLACE FUNCTION logintel._lay_out_restored() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._lay_out(s.id) FROM logintel_internal.model_sets s
    WHERE s.id = ANY (NEW.shadow_set_ids || NEW.challenger_set_id || NEW.model_set_id)
      AND NOT EXISTS (SELECT FROM unnest(s.model_ids) AS i WHERE i NOT IN (SELECT m.id
          FROM logintel_internal.models m));
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'models are not laid out for SQL yet: %', SQLERRM
        USING HINT = 'SELECT * FROM logintel.doctor() says more.';
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._lay_out_restored() IS 'Lays out what serves, where that is not done: in a database that is being restored.';

CREATE OR REPLACE TRIGGER lay_out_restored AFTER INSERT ON logintel_internal.serving
    FOR EACH ROW EXECUTE FUNCTION logintel._lay_out_restored();
