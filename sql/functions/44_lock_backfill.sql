-- Whoever waited for the lock has to see what the other session wrote, which a fixed snapshot would hide.
CREATE FUNCTION logintel._lock_backfill() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'backfill needs the isolation level read committed, not %', current_setting('transaction_isolation')
            USING ERRCODE = 'active_sql_transaction', HINT = 'Run it in a transaction of its own.';
    END IF;
    PERFORM pg_advisory_xact_lock('logintel.predictions'::regclass::oid::integer, 0);
END
$function$;

COMMENT ON FUNCTION logintel._lock_backfill() IS 'Waits until no other session backfills, until the end of the transaction.';
