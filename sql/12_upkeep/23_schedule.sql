-- Anybody may have made a schema of that name: only what the extension brought is called.
CREATE OR REPLACE FUNCTION logintel._has_cron() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT count(DISTINCT d.objid) = 2
    FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pg_cron'
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
      AND ((d.classid, d.objid) = ('pg_proc'::regclass, to_regprocedure('cron.schedule(text,text,text)'))
           OR (d.classid, d.objid) = ('pg_class'::regclass, to_regclass('cron.job')));
END;

COMMENT ON FUNCTION logintel._has_cron() IS 'Whether the extension pg_cron is in this database.';

-- Upkeep, and requests for retrainings, by one call: from pg_cron where it is installed, else from "logintel worker". A job
-- belongs to the role that calls this, which has to be allowed to call what it runs. Models are trained outside the server:
-- by "logintel worker", which takes every request, or by a "logintel retrain" that something else runs.
CREATE OR REPLACE FUNCTION logintel.schedule(retrain_every_hours integer DEFAULT 6) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    hours integer := coalesce(schedule.retrain_every_hours, 0);
    job record;
BEGIN
    IF hours NOT BETWEEN 0 AND 24 THEN
        RAISE EXCEPTION 'a retraining cannot be requested every % hours', hours
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a number of hours from 1 to 24, or 0 for never.';
    ELSIF NOT logintel._has_cron() THEN
        UPDATE logintel.settings s SET value = hours WHERE s.name = 'retrain_every_hours';
        RETURN NEXT 'logintel worker: scores pending lines, and runs maintain() every minute';
        IF hours > 0 THEN
            RETURN NEXT format('logintel worker: every %s hours, retrains what ml_retrain_advice advises', hours);
        END IF;
        RETURN NEXT 'pg_cron is not in this database: keep "logintel worker" running, it does all of this';
        RETURN;
    END IF;
    PERFORM logintel.unschedule();
    FOR job IN SELECT * FROM (VALUES
        ('logintel maintain', '* * * * *', 'CALL logintel.maintain(''45 s'')', true),
        ('logintel backfill', '* * * * *', 'SELECT logintel.backfill(max_lines => 200000)', true),
        ('logintel request retraining', format('0 */%s * * *', hours), 'SELECT logintel.request_retraining()', hours > 0))
        AS j (name, schedule, command, wanted) WHERE j.wanted
    LOOP
        EXECUTE 'SELECT cron.schedule($1, $2, $3)' USING job.name, job.schedule, job.command;
        RETURN NEXT format('%s: %s', job.name, job.command);
    END LOOP;
    IF hours > 0 THEN
        RETURN NEXT 'requested retrainings are done by "logintel worker" or "logintel retrain": let one of them run';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel.schedule(integer) IS 'Lets pg_cron run maintain() and backfill() every minute and request retrainings every so many hours, 0 for never; without pg_cron, "logintel worker". Returns what runs where.';

CREATE OR REPLACE FUNCTION logintel.unschedule() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    removed integer := 0;
    turned_off integer;
BEGIN
    IF logintel._has_cron() THEN
        EXECUTE $sql$SELECT count(cron.unschedule(j.jobid)) FROM cron.job j WHERE j.jobname LIKE 'logintel %' AND j.username = current_user$sql$
        INTO removed;
    END IF;
    UPDATE logintel.settings s SET value = '0' WHERE s.name = 'retrain_every_hours' AND s.value <> '0';
    GET DIAGNOSTICS turned_off = ROW_COUNT;
    RETURN removed + turned_off;
END
$function$;

COMMENT ON FUNCTION logintel.unschedule() IS 'Undoes schedule(): removes its jobs, and "logintel worker" requests no retrainings; returns how many of these there were.';
