CREATE FUNCTION logintel.grant_manage(to_role regrole) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel.grant_read(to_role);
    EXECUTE format('GRANT UPDATE (value) ON logintel.settings TO %s', to_role);
    EXECUTE format('GRANT INSERT, UPDATE, DELETE ON logintel.level_names TO %s', to_role);
    EXECUTE format('GRANT SELECT ON logintel.log_lines, logintel.deployments, logintel.ml_models, logintel.model_sets, logintel.pending TO %s', to_role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION logintel.attach(regclass, jsonb, boolean), logintel.detach(), logintel.create_log_entries(), '
                   'logintel.import_model(text, bytea, jsonb, jsonb), logintel.register_default_models(), logintel.deploy(text, integer), logintel.rollback(text), '
                   'logintel.backfill(timestamptz, integer), logintel.rescore(integer), logintel.maintain(), logintel.reconcile(), '
                   'logintel.create_partitions(date, date), logintel.schedule(), logintel.unschedule(), '
                   'logintel.take_pending(integer, timestamptz), logintel.unknown_shapes(bigint[]), '
                   'logintel.remember_scores(integer, jsonb, jsonb), logintel.score_taken(bigint[]) TO %s', to_role);
END
$function$;

COMMENT ON FUNCTION logintel.grant_manage(regrole) IS 'Lets a role train, import, deploy and roll back models, attach its own tables, backfill, and change settings.';
