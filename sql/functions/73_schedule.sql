-- Upkeep from pg_cron: a job belongs to the role that calls this, which has to be allowed to call what it runs.
CREATE FUNCTION logintel.schedule() RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    job record;
BEGIN
    IF to_regprocedure('cron.schedule(text,text,text)') IS NULL THEN
        RAISE EXCEPTION 'pg_cron is not in this database' USING ERRCODE = 'undefined_object',
            HINT = 'Add pg_cron to shared_preload_libraries, set cron.database_name to this database and run CREATE EXTENSION pg_cron; or let "logintel worker" run.';
    END IF;
    FOR job IN SELECT * FROM (VALUES
        ('logintel maintain', '* * * * *', 'SELECT logintel.maintain()'),
        ('logintel backfill', '* * * * *', 'SELECT logintel.backfill("limit" => 200000)')) AS j (name, schedule, command)
    LOOP
        EXECUTE 'SELECT cron.schedule($1, $2, $3)' USING job.name, job.schedule, job.command;
        RETURN NEXT format('%s: %s', job.name, job.command);
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel.schedule() IS 'Lets pg_cron run maintain() and backfill() every minute; returns the jobs. Calling it again changes nothing.';

CREATE FUNCTION logintel.unschedule() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    removed integer := 0;
BEGIN
    IF to_regclass('cron.job') IS NOT NULL THEN
        EXECUTE $sql$SELECT count(cron.unschedule(j.jobid)) FROM cron.job j WHERE j.jobname LIKE 'logintel %' AND j.username = current_user$sql$
        INTO removed;
    END IF;
    RETURN removed;
END
$function$;

COMMENT ON FUNCTION logintel.unschedule() IS 'Removes the jobs that schedule() made; returns how many.';
