-- Upkeep is a list of tasks that capabilities bring, in the order of their numbers. What a maintain() had no time for
-- comes first in the next. A task that fails is tried again by the next maintain(), and keeps no other from running.
CREATE OR REPLACE FUNCTION logintel._next_task(run_began_at timestamptz) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT h.name
    FROM logintel._handlers('task') AS h (name)
    LEFT JOIN logintel.upkeep_tasks u ON u.task = h.name
    WHERE u.task IS NULL OR u.run_began_at < $1 OR u.run_began_at > clock_timestamp()
    ORDER BY u.run_began_at NULLS FIRST, h.name COLLATE "C" LIMIT 1;
$function$;

COMMENT ON FUNCTION logintel._next_task(timestamptz) IS 'The task that a maintain() which began then has to run next; null when it ran all.';

CREATE OR REPLACE FUNCTION logintel._run_task(task text, run_began_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    began timestamptz := clock_timestamp();
    ran logintel.upkeep_tasks;
    hint text;
BEGIN
    BEGIN
        EXECUTE format('SELECT logintel.%I()', task) INTO ran.done;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
        ran.failure := format('%s: %s', SQLSTATE, SQLERRM);
        ran.next_step := coalesce(nullif(hint, ''), 'mend what the failure names; the next maintain() tries again');
        RAISE WARNING 'upkeep failed to %: %', logintel._handler_words(task), SQLERRM USING HINT = ran.next_step;
    END;
    INSERT INTO logintel.upkeep_tasks AS u (
        task, run_began_at, ran_at, seconds, done, failure, next_step, failing_since)
    VALUES ($1, $2, began, extract(epoch FROM clock_timestamp() - began), ran.done, ran.failure, ran.next_step,
            CASE WHEN ran.failure IS NOT NULL THEN began END)
    ON CONFLICT ON CONSTRAINT upkeep_tasks_pkey DO UPDATE
    SET run_began_at = excluded.run_began_at, ran_at = excluded.ran_at, seconds = excluded.seconds,
        done = excluded.done, failure = excluded.failure, next_step = excluded.next_step,
        failing_since = CASE WHEN excluded.failure IS NOT NULL
                             THEN coalesce(u.failing_since, excluded.failing_since) END;
END
$function$;

COMMENT ON FUNCTION logintel._run_task(text, timestamptz) IS 'Runs a task of the upkeep and notes what became of it.';

CREATE OR REPLACE FUNCTION logintel._run_next_task(run_began_at timestamptz, budget interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    task text;
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE NOTICE 'this server is a standby; maintain() runs on the primary';
        RETURN false;
    ELSIF NOT logintel._try_lock('upkeep') THEN
        RAISE NOTICE 'another maintain() is running';
        RETURN false;
    END IF;
    task := logintel._next_task(run_began_at);
    IF task IS NOT NULL THEN
        PERFORM logintel._run_task(task, run_began_at);
    END IF;
    RETURN logintel._next_task(run_began_at) IS NOT NULL AND clock_timestamp() < run_began_at + budget;
END
$function$;

COMMENT ON FUNCTION logintel._run_next_task(timestamptz, interval) IS 'Runs the next task of a maintain(); returns whether there are more, and time for them.';

-- With the rights and settings of its caller, as a procedure that commits must be: all that it does is in the function.
CREATE OR REPLACE PROCEDURE logintel.maintain(budget interval)
LANGUAGE plpgsql AS
$procedure$
DECLARE
    run_began_at timestamptz := pg_catalog.clock_timestamp();
BEGIN
    WHILE logintel._run_next_task(run_began_at, budget) LOOP
        COMMIT;
    END LOOP;
END
$procedure$;

COMMENT ON PROCEDURE logintel.maintain(interval) IS 'Regular upkeep, best called every minute: CALL logintel.maintain(''45 s''). Commits after each task, and begins none when the budget is used up: those come first the next time. Returns at once where another one runs, and on a standby. ml_upkeep shows what it did.';

CREATE OR REPLACE FUNCTION logintel.maintain() RETURNS TABLE (task text, done bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    began timestamptz := clock_timestamp();
BEGIN
    WHILE logintel._run_next_task(began, interval '1 year') LOOP
    END LOOP;
    RETURN QUERY SELECT logintel._handler_words(u.task), u.done FROM logintel.upkeep_tasks u
                 WHERE u.run_began_at = began ORDER BY u.ran_at;
END
$function$;

COMMENT ON FUNCTION logintel.maintain() IS 'All tasks of the regular upkeep in the transaction of the caller, for who cannot use CALL logintel.maintain(budget).';
