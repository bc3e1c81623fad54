-- Keeps deployments, new and retired versions, tests and changes of the mode apart.
CREATE OR REPLACE FUNCTION logintel._lock_deployments() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    UPDATE logintel.locks l SET name = l.name WHERE l.name = 'deployments';
$function$;

COMMENT ON FUNCTION logintel._lock_deployments() IS 'Waits until no other session registers, deploys, tests or retires models or changes the mode, until the end of the transaction.';

-- Keeps those apart who make scores canonical: only they write the unique index, so no writer ever waits for it.
CREATE OR REPLACE FUNCTION logintel._lock_publishing() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    UPDATE logintel.locks l SET name = l.name WHERE l.name = 'publishing';
$function$;

COMMENT ON FUNCTION logintel._lock_publishing() IS 'Waits until no other session makes scores canonical, until the end of the transaction.';
