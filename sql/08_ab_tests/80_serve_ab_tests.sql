-- A test that is deleted serves no line any more, and takes along what it found.
CREATE OR REPLACE FUNCTION logintel._follow_deleted_ab_test() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._lock_deployments();
    PERFORM logintel._serve_ab_tests();
    DELETE FROM logintel_internal.ab_looks l WHERE NOT EXISTS (SELECT FROM logintel_internal.ab_tests t
        WHERE t.id = l.test_id);
    DELETE FROM logintel_internal.ab_test_counts c WHERE NOT EXISTS (SELECT FROM logintel_internal.ab_tests t
        WHERE t.id = c.test_id);
    DELETE FROM logintel_internal.ab_results r WHERE NOT EXISTS (SELECT FROM logintel_internal.ab_tests t
        WHERE t.id = r.test_id);
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._follow_deleted_ab_test() IS 'Trigger on ab_tests: lets lines be served without a deleted test, and removes what it found.';

CREATE OR REPLACE TRIGGER serve_ab_tests AFTER DELETE ON logintel_internal.ab_tests
    FOR EACH STATEMENT EXECUTE FUNCTION logintel._follow_deleted_ab_test();
