-- A worker writes scores of any shape, which nobody else is to do.
CREATE OR REPLACE FUNCTION logintel.grant_work(to_role regrole) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel.grant_read(to_role);
    EXECUTE format('GRANT SELECT ON logintel_internal.models, logintel_internal.model_sets, logintel_internal.pending '
        'TO %s', to_role);
    PERFORM logintel._grant_functions(to_role, ARRAY(SELECT logintel._functions_for('workers')));
END
$function$;

COMMENT ON FUNCTION logintel.grant_work(regrole) IS 'Lets a role run "logintel worker": score lines that wait, and do the upkeep. A worker that is to do retrainings too needs grant_manage() as well; without it, it leaves requests open.';
