-- The seed of a dump takes the place of the one that is there: scores and verdicts are restored with their hashes.
CREATE OR REPLACE FUNCTION logintel._replace_shape_seed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    DELETE FROM logintel_internal.shape_seed;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION logintel._replace_shape_seed() IS 'Trigger on shape_seed: what a restore brings takes the place of what is there.';

CREATE OR REPLACE TRIGGER replace_shape_seed BEFORE INSERT ON logintel_internal.shape_seed
    FOR EACH ROW EXECUTE FUNCTION logintel._replace_shape_seed();

-- At the installation, and at no update.
INSERT INTO logintel_internal.shape_seed (seed) SELECT logintel._random_seed() WHERE NOT EXISTS (SELECT
    FROM logintel_internal.shape_seed);
