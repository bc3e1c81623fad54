-- Whoever waited for a lock has to see what the other did. A snapshot taken before cannot: there the update of a row
-- that the other updated too fails, and the transaction is to be retried.
CREATE OR REPLACE FUNCTION logintel._lock(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    UPDATE logintel_internal.locks l SET name = l.name WHERE l.name = _lock.name;
END
$function$;

COMMENT ON FUNCTION logintel._lock(text) IS 'Takes a lock until the end of the transaction; waits for who has it.';

CREATE OR REPLACE FUNCTION logintel._try_lock(name text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM FROM logintel_internal.locks l WHERE l.name = _try_lock.name FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM logintel._lock(_try_lock.name);
    RETURN true;
END
$function$;

COMMENT ON FUNCTION logintel._try_lock(text) IS 'Takes a lock until the end of the transaction; returns false where somebody else has it.';
