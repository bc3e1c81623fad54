CREATE OR REPLACE FUNCTION logintel._on_shape_seed_changed_061_known(subject bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    DELETE FROM logintel.known_scores;
    DELETE FROM logintel.published_scores;
    UPDATE logintel.known_counts SET scores = 0;
    PERFORM logintel._note_all_unused();
END
$function$;

COMMENT ON FUNCTION logintel._on_shape_seed_changed_061_known(bigint) IS 'Forgets which scores are looked up when none is any more.';
