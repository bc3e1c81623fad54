-- The views whose names begin with ml_, and what may be asked without changing anything.
CREATE OR REPLACE FUNCTION logintel.grant_read(to_role regrole) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    readable record;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA logintel TO %s', to_role);
    FOR readable IN SELECT c.oid::regclass AS name FROM pg_class c
                    WHERE c.relnamespace = 'logintel'::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'ml\_%' LOOP
        EXECUTE format('GRANT SELECT ON %s TO %s', readable.name, to_role);
    END LOOP;
    EXECUTE format('GRANT SELECT ON logintel.settings, logintel.levels, logintel.level_names, logintel.attachments TO %s', to_role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION logintel.analyze(text), logintel.analyze(jsonb), logintel.predict_log(bigint), '
                   'logintel.doctor(), logintel._uncounted(), logintel._count_lines(), '
                   'logintel._corrections(), logintel._anomalies(), logintel._ab_results(integer), logintel._retrain_advice() TO %s', to_role);
END
$function$;

COMMENT ON FUNCTION logintel.grant_read(regrole) IS 'Lets a role read the views and ask analyze(), predict_log() and doctor(). Undo it with DROP OWNED BY or REVOKE.';
