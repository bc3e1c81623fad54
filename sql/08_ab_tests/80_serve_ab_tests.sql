-- A test that is deleted serves no line any more.
CREATE OR REPLACE FUNCTION logintel._follow_deleted_ab_test() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._lock_deployments();
    PERFORM logintel._serve_ab_tests();
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._follow_deleted_ab_test() IS 'Trigger on ab_tests: lets lines be served without a deleted test.';

CREATE OR REPLACE TRIGGER serve_ab_tests AFTER DELETE ON logintel.ab_tests
    FOR EACH STATEMENT EXECUTE FUNCTION logintel._follow_deleted_ab_test();
