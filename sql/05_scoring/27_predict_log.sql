-- Shows nothing: who asks reads the view, where row-level security of the log table holds.
-- As in the write path, no plan has hashes of shapes in it, which its caller may have printed.
CREATE OR REPLACE FUNCTION logintel._predict_line(line_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_generic_plan AS
$function$
BEGIN
    IF EXISTS (SELECT FROM logintel_internal.predictions p WHERE p.log_entry_id = line_id) THEN
        RETURN;
    END IF;
    -- Whoever has the line in hand is waited for; then its prediction is there, and outdated if the line waited again.
    PERFORM pg_advisory_xact_lock('logintel_internal.pending'::regclass::oid::integer, hashint8(line_id));
    DELETE FROM logintel_internal.pending q WHERE q.log_entry_id = line_id;
    IF FOUND OR NOT EXISTS (SELECT FROM logintel_internal.predictions p WHERE p.log_entry_id = line_id) THEN
        PERFORM logintel._score_lines(ARRAY[line_id]);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._predict_line(bigint) IS 'Scores a line, if it has no prediction yet.';

CREATE OR REPLACE FUNCTION logintel.predict_log(line_id bigint) RETURNS TABLE (
    id bigint, log_entry_id bigint, predicted_level text, level_confidence real, category text, category_confidence real,
    labels text[], is_anomaly boolean, anomaly_score real, anomaly_confidence real, anomaly_type text, severity text,
    model_version text, predicted_at timestamptz
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
BEGIN
    IF NOT EXISTS (SELECT FROM logintel.ml_predictions p WHERE p.log_entry_id = line_id) THEN
        IF NOT logintel._is_visible(line_id, NULL, NULL) THEN
            RAISE EXCEPTION 'there is no log line %', line_id
                USING ERRCODE = 'no_data_found', HINT = 'Give the key of a line in the attached log table.';
        END IF;
        PERFORM logintel._predict_line(line_id);
    END IF;
    RETURN QUERY
        SELECT p.id, p.log_entry_id, p.predicted_level, p.level_confidence, p.category, p.category_confidence,
               p.labels, p.is_anomaly, p.anomaly_score, p.anomaly_confidence, p.anomaly_type, p.severity,
               p.model_version, p.predicted_at
        FROM logintel.ml_predictions p WHERE p.log_entry_id = line_id;
END
$function$;

COMMENT ON FUNCTION logintel.predict_log(bigint) IS 'The prediction of a line; scored and stored now if it has none yet.';
