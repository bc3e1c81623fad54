-- The worker of 0.1.0 asks this for each batch. It would find the next function gone, and be told nothing that helps.
CREATE OR REPLACE FUNCTION logintel.take_pending(max_lines integer, since timestamptz DEFAULT NULL) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RAISE EXCEPTION 'this "logintel worker" is of release 0.1.0, the extension is newer' USING ERRCODE = 'feature_not_supported',
        HINT = 'Install the client of this release and start "logintel worker" again; what waits stays in the queue.';
END
$function$;

COMMENT ON FUNCTION logintel.take_pending(integer, timestamptz) IS 'Tells a worker of release 0.1.0 that it is too old. Nobody else calls it.';

-- One that has just asked, and waited for the update meanwhile, finds this.
CREATE OR REPLACE FUNCTION logintel._reconcile_if_new() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel.take_pending(0);
END
$function$;

COMMENT ON FUNCTION logintel._reconcile_if_new() IS 'Tells a worker of release 0.1.0 that it is too old.';
