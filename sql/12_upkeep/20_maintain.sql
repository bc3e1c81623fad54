-- Upkeep is a list of tasks that capabilities bring, in the order of their numbers. What a maintain() had no time for
-- comes first in the next. A task that fails is tried again by the next maintain(), and keeps no other from running.
CREATE OR REPLACE FUNCTION logintel._next_task(run_began_at timestamptz) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT h.name
    FROM logintel._handlers('task') AS h (name)
    LEFT JOIN logintel_internal.upkeep_tasks u ON u.task = h.name
    WHERE u.task IS NULL OR u.run_began_at < $1 OR u.run_began_at > clock_timestamp() OR u.has_more
    ORDER BY coalesce(u.has_more AND u.run_began_at = $1, false), u.run_began_at NULLS FIRST, h.name COLLATE "C"
        LIMIT 1;
$function$;

COMMENT ON FUNCTION logintel._next_task(timestamptz) IS 'The task that a maintain() which began then has to run next; null when it ran all.';

-- A statement_timeout, a cancelled statement and a lost session end a task, and no handler hears of it. So a task is
-- noted as begun, and maintain(budget) commits that before it runs: what was begun in a statement that is over did
-- not end. A standby cannot know. What other sessions do is shown to the role that installed logintel, where that is
-- a superuser.
CREATE OR REPLACE FUNCTION logintel._installer_sees(begun_by integer, begun_in timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_is_in_recovery() OR EXISTS (
    SELECT FROM pg_stat_activity a
    WHERE a.pid = begun_by AND a.query_start = begun_in AND a.state IN ('active', 'fastpath function call'));

COMMENT ON FUNCTION logintel._installer_sees(integer, timestamptz) IS 'Whether the session with this process id is still at the statement that it began then.';

CREATE OR REPLACE FUNCTION logintel._is_upkeep_at_work() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (
    SELECT FROM logintel_internal.upkeep_tasks u
    WHERE u.begun_by <> pg_backend_pid() AND logintel._installer_sees(u.begun_by, u.begun_in));

COMMENT ON FUNCTION logintel._is_upkeep_at_work() IS 'Whether another session is between two transactions of a maintain().';

CREATE OR REPLACE FUNCTION logintel._note_begun(task text, run_began_at timestamptz) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    INSERT INTO logintel_internal.upkeep_tasks AS u (task, run_began_at, begun_at, begun_by, begun_in)
    VALUES ($1, $2, clock_timestamp(), pg_backend_pid(), statement_timestamp())
    ON CONFLICT ON CONSTRAINT upkeep_tasks_pkey DO UPDATE
    SET run_began_at = excluded.run_began_at, begun_at = excluded.begun_at, begun_by = excluded.begun_by,
        begun_in = excluded.begun_in, failing_since = coalesce(u.failing_since, u.begun_at);
$function$;

COMMENT ON FUNCTION logintel._note_begun(text, timestamptz) IS 'Notes that a task of the upkeep begins; one that was begun before and did not end has failed since.';

-- A statement_timeout cannot be put off from within the statement: no task begins in its second half, so that what is
-- left is done by the next maintain(), and only a task that takes longer by itself is ended by it.
CREATE OR REPLACE FUNCTION logintel._has_time(run_began_at timestamptz, budget interval) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT clock_timestamp() - $1 < least($2, (
        SELECT nullif(g.setting::integer, 0) / 2 * interval '1 ms'
        FROM pg_settings g WHERE g.name = 'statement_timeout'))
        OR NOT EXISTS (SELECT FROM logintel_internal.upkeep_tasks u WHERE u.run_began_at = $1);
$function$;

COMMENT ON FUNCTION logintel._has_time(timestamptz, interval) IS 'Whether a maintain() that began then may begin one more task; the first one it may always.';

CREATE OR REPLACE FUNCTION logintel._begin_next_task(run_began_at timestamptz, budget interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    task text;
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE NOTICE 'this server is a standby; maintain() runs on the primary';
        RETURN false;
    ELSIF logintel._is_upkeep_at_work() OR NOT logintel._try_lock('upkeep') OR logintel._is_upkeep_at_work() THEN
        RAISE NOTICE 'another maintain() is running';
        RETURN false;
    END IF;
    IF logintel._has_time(run_began_at, budget) THEN
        task := logintel._next_task(run_began_at);
        PERFORM logintel._note_begun(task, run_began_at) WHERE task IS NOT NULL;
    END IF;
    RETURN task IS NOT NULL;
END
$function$;

COMMENT ON FUNCTION logintel._begin_next_task(timestamptz, interval) IS 'Begins the next task of a maintain(); returns false where there is none, or no time for it.';

CREATE OR REPLACE FUNCTION logintel._has_more_to_do() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'SELECT set_config(''logintel.has_more_to_do'', ''yes'', true)';

COMMENT ON FUNCTION logintel._has_more_to_do() IS 'Called by a task of the upkeep that did a bit of its work: maintain() commits, and runs it again when all others had their turn.';

CREATE OR REPLACE FUNCTION logintel._run_task(task text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    began timestamptz := clock_timestamp();
    ran logintel_internal.upkeep_tasks;
    hint text;
BEGIN
    PERFORM set_config('logintel.has_more_to_do', '', true);
    BEGIN
        EXECUTE format('SELECT logintel.%I()', task) INTO ran.done;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
        ran.failure := format('%s: %s', SQLSTATE, SQLERRM);
        ran.next_step := coalesce(nullif(hint, ''), format('%s; the next maintain() tries again',
            CASE SQLSTATE WHEN '55P03' THEN 'end the transaction that has locked what it needs'
                          ELSE 'mend what the failure names' END));
        RAISE WARNING 'upkeep failed to %: %', logintel._handler_words(task), SQLERRM USING HINT = ran.next_step;
    END;
    UPDATE logintel_internal.upkeep_tasks u
    SET ran_at = began, seconds = extract(epoch FROM clock_timestamp() - began),
        done = ran.done + CASE WHEN u.has_more THEN u.done ELSE 0 END, failure = ran.failure, next_step = ran.next_step,
        has_more = current_setting('logintel.has_more_to_do') = 'yes',
        failing_since = CASE WHEN ran.failure IS NOT NULL THEN coalesce(u.failing_since, began) END,
        begun_at = NULL, begun_by = NULL, begun_in = NULL
    WHERE u.task = $1;
END
$function$;

COMMENT ON FUNCTION logintel._run_task(text) IS 'Runs a task of the upkeep and notes what became of it.';

-- The task comes from the note, never from who calls this. Another session that looks whether the upkeep is at work may
-- have the lock for a moment.
CREATE OR REPLACE FUNCTION logintel._run_begun_task() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
BEGIN
    PERFORM logintel._lock('upkeep');
    PERFORM logintel._run_task(b.task)
    FROM (SELECT u.task FROM logintel_internal.upkeep_tasks u
          WHERE u.begun_by = pg_backend_pid() ORDER BY u.begun_at DESC LIMIT 1) AS b;
END
$function$;

COMMENT ON FUNCTION logintel._run_begun_task() IS 'Runs the task that this session has begun.';

-- With the rights and settings of its caller, as a procedure that commits must be: all that it does is in functions,
-- and it names nothing without its schema.
CREATE OR REPLACE PROCEDURE logintel.maintain(budget interval)
LANGUAGE plpgsql AS
$procedure$
DECLARE
    run_began_at pg_catalog.timestamptz := pg_catalog.clock_timestamp();
BEGIN
    COMMIT;  -- inside a transaction of its caller, where it may not commit, it fails before it has done anything
    WHILE logintel._begin_next_task(run_began_at, budget) LOOP
        COMMIT;
        PERFORM logintel._run_begun_task();
        COMMIT;
    END LOOP;
END
$procedure$;

COMMENT ON PROCEDURE logintel.maintain(interval) IS 'Regular upkeep, best called every minute: CALL logintel.maintain(''45 s''), by itself and with autocommit on. Commits after each task, and begins none when the budget, or half of the statement_timeout, is used up: those come first the next time. Returns at once where another one runs, and on a standby. ml_upkeep shows what it did.';

CREATE OR REPLACE FUNCTION logintel.maintain() RETURNS TABLE (task text, done bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    began timestamptz := clock_timestamp();
BEGIN
    WHILE logintel._begin_next_task(began, interval '1 year') LOOP
        PERFORM logintel._run_begun_task();
    END LOOP;
    RETURN QUERY SELECT logintel._handler_words(u.task), u.done FROM logintel_internal.upkeep_tasks u
                 WHERE u.run_began_at = began ORDER BY u.ran_at;
END
$function$;

COMMENT ON FUNCTION logintel.maintain() IS 'All tasks of the regular upkeep in the transaction of the caller, for who cannot use CALL logintel.maintain(budget). With a statement_timeout, those that half of it has time for: the others come first the next time.';
