CREATE OR REPLACE FUNCTION logintel._on_shape_seed_changed_061_known(subject bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    DELETE FROM logintel_internal.known_scores;
    DELETE FROM logintel_internal.published_scores;
    UPDATE logintel_internal.known_counts SET scores = 0;
    SELECT logintel._note_all_unused();
$function$;

COMMENT ON FUNCTION logintel._on_shape_seed_changed_061_known(bigint) IS 'Forgets which scores are looked up when none is any more.';
