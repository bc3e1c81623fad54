-- Writes the functions behind the triggers for the attached tables and what serves lines. Transition tables are visible
-- in the trigger function alone, and a statement planned once is several times faster than one planned for every
-- insert, so both are written into the functions. The lock keeps two that write them apart.
--
-- Plans are generic, also of what is called: a plan that is made for the values of its variables has the hashes of
-- shapes in it, and whoever inserts may have his plans printed.
--
-- pg_catalog comes first without being named; naming it would make every call look it up. A name that is a column and a
-- variable is the column's.
--
-- One function has a branch for each table: a session plans only those of the tables that it writes to, and a dump that is
-- restored finds the function before it makes the triggers. A trigger left on a table that is no attached one, or a
-- partition of one, does nothing.
CREATE OR REPLACE FUNCTION logintel._write_trigger_function(name text, log_tables oid[], bodies text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    branches text := (
        SELECT string_agg(format('IF _table = %s THEN %s', b.log_table, b.body), E'\n    ELS' ORDER BY b.n)
        FROM unnest(log_tables, bodies) WITH ORDINALITY AS b (log_table, body, n));
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION logintel.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER '
                   'SET search_path = pg_temp SET jit = off SET enable_seqscan = off '
                   'SET plan_cache_mode = force_generic_plan %sAS %L', name,
                   -- A time that is read from what a type of the user's prints is printed so that it can be read.
                   CASE WHEN strpos(branches, 'pg_catalog.format(') > 0 THEN 'SET datestyle = ISO ' END, format($body$
#variable_conflict use_column
DECLARE
    _logintel_began timestamptz := clock_timestamp();
    _left_out refcursor;
    _nested_loops text;
    _many boolean;
    _scored bigint;
    _waiting bigint;
    _ids bigint[];
    _times timestamptz[];
    _kept bigint[];
    _reason text;
    _table oid := CASE WHEN TG_RELID IN (%1$s) THEN TG_RELID ELSE logintel._which_is_above(TG_RELID, '{%1$s}') END;
BEGIN
    %2$s
    RETURN NULL;
END
$body$, coalesce(nullif(array_to_string(log_tables, ', '), ''), '0'), branches || E'\n    END IF;'));
END
$function$;

COMMENT ON FUNCTION logintel._write_trigger_function(text, oid[], text[]) IS 'Writes a trigger function that has one of these bodies for each log table.';

-- The SQL of the model set that serves a line l.
CREATE OR REPLACE FUNCTION logintel._scorer(serving logintel_internal.serving) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
RETURN CASE WHEN (serving).test_id IS NULL THEN (serving).model_set_id::text
            ELSE format('CASE WHEN logintel._in_share(l.id, %s, %L) '
                        'AND EXISTS (SELECT FROM logintel_internal.serving v WHERE v.id = %s) THEN %s ELSE %s END',
                        (serving).test_id, (serving).share, (serving).id, (serving).challenger_set_id,
                        (serving).model_set_id) END;

COMMENT ON FUNCTION logintel._scorer(logintel_internal.serving) IS 'SQL of the model set that serves a line l.';

CREATE OR REPLACE FUNCTION logintel._write_no_trigger_functions() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT logintel._write_trigger_function(f, '{}', '{}')
    FROM unnest('{_score_new_lines,_score_changed_lines,_forget_deleted_lines}'::text[]) AS f;
$function$;

COMMENT ON FUNCTION logintel._write_no_trigger_functions() IS 'Replaces the functions behind the triggers of the log tables by ones that do nothing, for when none is attached.';

-- What each of the three does for one table.
CREATE OR REPLACE FUNCTION logintel._trigger_paths(
    attached logintel_internal.attachments, serving logintel_internal.serving, is_off boolean, OUT inserted text,
        OUT updated text,
    OUT deleted text
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    key text;
    lines text;
    changed text;
    reason text := CASE WHEN NOT attached.columns ? 'message' THEN format('%s has lost the column of its messages', attached.log_table)
                        WHEN serving IS NULL AND NOT is_off THEN 'no model is deployed' END;
BEGIN
    SELECT min(e.expression) FILTER (WHERE f.name = 'id'),
           string_agg(format(CASE WHEN f.name = 'timestamp' THEN 'logintel._line_time(%s) AS %I'
                                  WHEN f.name IN ('message', 'service', 'source_type', 'level')
                                      THEN '%s COLLATE pg_catalog."C" AS %I'  -- where equal texts are the same
                                  ELSE '%s AS %I' END, e.expression, f.name), ', ' ORDER BY f.n)
    INTO key, lines
    FROM unnest('{id,timestamp,message,service,source_type,level,http_status,response_time_ms}'::text[])
         WITH ORDINALITY AS f (name, n)
    JOIN logintel._line_expressions(attached) e ON e.field = f.name;
    lines := format('SELECT %s FROM', lines);
    changed := format('(SELECT * FROM (%1$s new_lines t EXCEPT ALL %1$s old_lines t) c '
                      'WHERE c.id NOT IN (SELECT unnest(_kept)))', lines);
    inserted := format('(%s new_lines t)', lines);
    IF is_off OR reason IS NOT NULL THEN
        inserted := logintel._waiting_path(attached.id, inserted, reason);
        updated := logintel._waiting_path(attached.id, changed, reason);
    ELSE
        inserted := logintel._hot_path(attached.id, inserted, logintel._scorer(serving))
            || logintel._cold_path(attached.id, inserted, logintel._scorer(serving));
        updated := logintel._hot_path(attached.id, changed, logintel._scorer(serving))
            || logintel._cold_path(attached.id, changed, logintel._scorer(serving));
    END IF;
    inserted := logintel._guarded_path(inserted, logintel._queue_changed_path(
        attached.id, format('(SELECT %s AS id FROM new_lines t)', key)));
    updated := logintel._guarded_path(
        logintel._forget_path(attached.id, format('%1$s old_lines t EXCEPT ALL %1$s new_lines t', lines)) || updated,
        logintel._queue_changed_path(attached.id, format(
            '(SELECT %1$s AS id FROM old_lines t UNION ALL SELECT %1$s FROM new_lines t)', key)));
    deleted := logintel._guarded_path(
        logintel._forget_path(attached.id, format('%s old_lines t', lines)),
        logintel._queue_changed_path(attached.id, format('(SELECT %s AS id FROM old_lines t)', key)));
END
$function$;

COMMENT ON FUNCTION logintel._trigger_paths(logintel_internal.attachments, logintel_internal.serving, boolean) IS 'The text that scores inserted and changed lines of a log table and forgets deleted ones, by what its columns are called.';

CREATE OR REPLACE FUNCTION logintel._write_trigger_functions() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    serving logintel_internal.serving;
    is_off boolean := logintel._setting('mode') = 'off';
    log_tables oid[];
    inserted text[];
    updated text[];
    deleted text[];
BEGIN
    PERFORM logintel._lock_deployments();
    SELECT v.* INTO serving FROM logintel._serving() v;
    SELECT array_agg(a.log_table::oid ORDER BY a.id), array_agg(p.inserted ORDER BY a.id),
           array_agg(p.updated ORDER BY a.id), array_agg(p.deleted ORDER BY a.id)
    INTO log_tables, inserted, updated, deleted
    FROM logintel_internal.attachments a CROSS JOIN LATERAL logintel._trigger_paths(a, serving, is_off) p;
    IF log_tables IS NULL THEN
        PERFORM logintel._write_no_trigger_functions();
        RETURN;
    END IF;
    PERFORM logintel._write_trigger_function('_score_new_lines', log_tables, inserted),
            logintel._write_trigger_function('_score_changed_lines', log_tables, updated),
            logintel._write_trigger_function('_forget_deleted_lines', log_tables, deleted);
END
$function$;

COMMENT ON FUNCTION logintel._write_trigger_functions() IS 'Writes the functions behind the triggers of the log tables for their columns and the model set in force.';

CREATE OR REPLACE FUNCTION logintel._rewrite_trigger_functions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._write_trigger_functions();
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._rewrite_trigger_functions() IS 'Trigger on serving and settings: lets the write path know what serves.';

CREATE OR REPLACE TRIGGER rewrite_trigger_functions AFTER INSERT OR UPDATE OR DELETE ON logintel_internal.serving
    FOR EACH STATEMENT EXECUTE FUNCTION logintel._rewrite_trigger_functions();
CREATE OR REPLACE TRIGGER rewrite_trigger_functions AFTER INSERT OR UPDATE ON logintel.settings
    FOR EACH ROW WHEN (NEW.name = 'mode') EXECUTE FUNCTION logintel._rewrite_trigger_functions();
