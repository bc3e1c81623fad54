-- All that is public, save what workers alone call, and giving such rights to others.
CREATE OR REPLACE FUNCTION logintel.grant_manage(to_role regrole) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel.grant_read(to_role);
    EXECUTE format('GRANT UPDATE (value) ON logintel.settings TO %s', to_role);
    EXECUTE format('GRANT INSERT, UPDATE, DELETE ON logintel.level_names TO %s', to_role);
    EXECUTE format('GRANT SELECT ON logintel_internal.deployments, logintel_internal.models, '
        'logintel_internal.model_sets, logintel_internal.pending, '
                   'logintel_internal.feedback, logintel_internal.ab_tests, logintel_internal._in_force TO %s',
                       to_role);
    PERFORM logintel._grant_functions(to_role, ARRAY(SELECT logintel._functions_for('managers')));
END
$function$;

COMMENT ON FUNCTION logintel.grant_manage(regrole) IS 'Lets a role train, import, test, deploy and roll back models, give feedback, attach and detach its own tables, backfill, and change settings.';
