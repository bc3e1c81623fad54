-- From one database into another, in SQL alone, here version 3 of level:
--   psql -XAtd source -c "SELECT format('SELECT logintel.import_model(%L, %L, %L, %L)', 'level', onnx, metadata, golden)
--                         FROM logintel.export_model('level', 3)" | psql -d target
-- Which version it was to replace means nothing elsewhere.
CREATE OR REPLACE FUNCTION logintel.export_model(name text, version integer DEFAULT NULL) RETURNS TABLE (onnx bytea, metadata jsonb, golden jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    chosen integer := coalesce(version, (SELECT m.version FROM logintel_internal.models m
                                         WHERE m.name = export_model.name AND logintel._is_in_force(m.id)));
    model_id integer := logintel._find_model(name, chosen);
    members text;
BEGIN
    IF EXISTS (SELECT FROM logintel_internal.models m WHERE m.id = model_id AND m.dropped_at IS NOT NULL) THEN
        RAISE EXCEPTION 'model % % was dropped: its graph is gone', name, chosen
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = logintel._usable_versions();
    END IF;
    SELECT string_agg(format('%s %s', m.name, m.version), ', ' ORDER BY m.version) INTO members
    FROM logintel_internal.models m WHERE m.id = ANY (logintel._members(model_id));
    IF members IS NOT NULL THEN
        RAISE EXCEPTION 'model % % is an ensemble and has no graph of its own', name, chosen
            USING ERRCODE = 'feature_not_supported',
                  HINT = format('Export its members, %s, import them there, and run logintel.create_ensemble().', members);
    END IF;
    RETURN QUERY SELECT m.onnx, m.metadata - 'replaces', m.golden FROM logintel_internal.models m WHERE m.id = model_id;
END
$function$;

COMMENT ON FUNCTION logintel.export_model(text, integer) IS 'The graph of a model version, by default the one in force, its metadata and its golden cases: what import_model() takes in another database.';
