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
