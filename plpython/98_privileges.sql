-- logintel's functions call these with the rights of its owner, who need not be the one who creates this extension.
DO $block$
DECLARE
    ours regprocedure;
BEGIN
    FOR ours IN SELECT p.oid FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
                    WHERE p.pronamespace = 'logintel'::regnamespace AND l.lanname = 'plpython3u' LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', ours);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', ours,
                       (SELECT c.relowner::regrole FROM pg_class c WHERE c.oid = 'logintel_internal.locks'::regclass));
    END LOOP;
END
$block$;
