-- What the views that begin with ml_ call for their readers: a view asks with the rights of its owner for tables, and
-- with those of its reader for functions. A SECURITY DEFINER function calls the rest itself.
CREATE OR REPLACE FUNCTION logintel._functions_of_views() RETURNS SETOF regprocedure
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE needed (classid, objid) AS (
        SELECT 'pg_class'::regclass::oid, c.oid FROM pg_class c
        WHERE c.relnamespace = 'logintel'::regnamespace AND c.relkind = 'v' AND c.relname LIKE E'ml\\_%'
        UNION
        SELECT d.refclassid, d.refobjid
        FROM needed n
        LEFT JOIN pg_rewrite r ON n.classid = 'pg_class'::regclass AND r.ev_class = n.objid
        LEFT JOIN pg_proc f ON n.classid = 'pg_proc'::regclass AND f.oid = n.objid
        JOIN pg_depend d ON (d.classid, d.objid) IN (('pg_rewrite'::regclass, r.oid), ('pg_proc'::regclass, f.oid))
        WHERE NOT coalesce(f.prosecdef, false) AND d.deptype = 'n'
          AND d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass))
    SELECT p.oid::regprocedure FROM needed n JOIN pg_proc p ON n.classid = 'pg_proc'::regclass AND p.oid = n.objid
    WHERE p.pronamespace = 'logintel'::regnamespace;
END;

COMMENT ON FUNCTION logintel._functions_of_views() IS 'Functions that the views ml_... call with the rights of who reads them.';

-- The one list of who may call what, by name.
CREATE OR REPLACE FUNCTION logintel._functions_for(who text) RETURNS SETOF regprocedure
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT p.oid::regprocedure
    FROM pg_proc p
    CROSS JOIN LATERAL (
        SELECT CASE WHEN p.prorettype = 'trigger'::regtype THEN NULL
                    WHEN p.proname IN ('analyze', 'predict_log', 'doctor', '_predict_line', '_refuse_several_tables')
                        THEN 'readers'
                    WHEN p.proname IN ('_drift_lines', '_has_cron') THEN 'managers'
                    WHEN p.proname IN ('_take_pending', '_unknown_shapes', '_remember_scores', '_score_taken',
                                       '_begin_retraining', '_finish_retraining') THEN 'workers'
                    WHEN p.proname IN ('maintain', '_begin_next_task', '_run_begun_task', 'backfill', 'reconcile',
                                       'request_retraining', '_templates_as_declared', '_remember_neighbours')
                        THEN 'workers and managers'
                    WHEN p.proname LIKE E'\\_%' OR p.proname IN ('grant_read', 'grant_work', 'grant_manage') THEN NULL
                    ELSE 'managers' END AS callers) AS c
    WHERE p.pronamespace = 'logintel'::regnamespace AND strpos(c.callers, who) > 0;
$function$;

COMMENT ON FUNCTION logintel._functions_for(text) IS 'Functions that readers, workers or managers may call, beyond what views call for them.';

CREATE OR REPLACE FUNCTION logintel._grant_functions(to_role regrole, functions regprocedure[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s', array_to_string(functions, ', '), to_role);
END
$function$;

COMMENT ON FUNCTION logintel._grant_functions(regrole, regprocedure[]) IS 'Lets a role call functions.';

-- Views show a line to those who may read it in its log table.
CREATE OR REPLACE FUNCTION logintel._grant_lines(to_role regrole, log_table regclass, columns jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF has_table_privilege(to_role, log_table, 'SELECT') THEN
        RETURN;
    ELSIF pg_has_role(logintel._installer_table_owner(log_table), 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s',
                       (SELECT c.relnamespace::regnamespace FROM pg_class c WHERE c.oid = log_table), to_role);
        EXECUTE format('GRANT SELECT (%s) ON %s TO %s', logintel._installer_columns(log_table, columns), log_table, to_role);
    ELSE
        RAISE NOTICE 'views show no lines to % yet', to_role
            USING HINT = format('The owner of the log table: GRANT SELECT ON %s TO %s.', log_table, to_role);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._grant_lines(regrole, regclass, jsonb) IS 'Lets a role read the columns of the log table that views show.';

CREATE OR REPLACE FUNCTION logintel.grant_read(to_role regrole) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    readable record;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA logintel, logintel_internal TO %s', to_role);
    FOR readable IN SELECT c.oid::regclass AS name FROM pg_class c
                    WHERE c.relnamespace = 'logintel'::regnamespace AND c.relkind = 'v' AND c.relname LIKE E'ml\\_%' LOOP
        EXECUTE format('GRANT SELECT ON %s TO %s', readable.name, to_role);
    END LOOP;
    EXECUTE format('GRANT SELECT ON logintel.settings, logintel_internal.levels, logintel.level_names, '
        'logintel_internal.attachments, '
                   'logintel.log_lines, logintel_internal._scores_now, logintel_internal._predictions_now, '
                       'logintel_internal._line_verdicts '
                   'TO %s', to_role);
    PERFORM logintel._grant_lines(to_role, a.log_table, a.columns) FROM logintel_internal.attachments a;
    PERFORM logintel._grant_functions(to_role, ARRAY(
        SELECT logintel._functions_of_views() UNION SELECT logintel._functions_for('readers')));
END
$function$;

COMMENT ON FUNCTION logintel.grant_read(regrole) IS 'Lets a role read the views, and the columns of the attached log table that they show, and ask analyze(), predict_log() and doctor(). Undo it with DROP OWNED BY or REVOKE.';
