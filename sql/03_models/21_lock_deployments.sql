-- Keeps deployments, new and retired versions, changes of the mode and upkeep apart. Who waited has to see what the other did: under a snapshot from
-- before, the update of a row that each of them updates fails, and the transaction is to be retried.
CREATE OR REPLACE FUNCTION logintel._lock_deployments() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    LOCK TABLE logintel.deployments IN SHARE ROW EXCLUSIVE MODE;
    UPDATE logintel.rollup_state SET one_row = true;
END
$function$;

COMMENT ON FUNCTION logintel._lock_deployments() IS 'Waits until no other session registers, deploys or retires models, changes the mode or does upkeep, until the end of the transaction.';
