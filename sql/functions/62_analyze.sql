-- What the deployed models say of lines that need not be stored anywhere.
CREATE FUNCTION logintel._analyze(shapes logintel.shape[]) RETURNS SETOF logintel.analysis
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    active integer := logintel._active_model_set();
    threshold real := logintel._setting('anomaly_threshold');
BEGIN
    IF active IS NULL THEN
        RAISE EXCEPTION 'no model is deployed' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Train one with "logintel train --deploy", or run SELECT logintel.deploy(name).';
    END IF;
    FOR start IN 1 .. cardinality(shapes) BY 256 LOOP
        RETURN QUERY
        SELECT start - 1 + r.n, r.template, r.predicted_level, r.level_confidence, r.level_probabilities,
               r.category, r.category_confidence, r.labels, r.anomaly_score >= threshold, r.anomaly_score,
               CASE WHEN r.anomaly_score >= threshold THEN r.anomaly_type END,
               logintel.severity(r.predicted_level, r.anomaly_score >= threshold),
               (SELECT s.model_version FROM logintel.model_sets s WHERE s.id = active)
        FROM ROWS FROM (unnest(shapes[start:start + 255]), logintel._score_shapes(active, shapes[start:start + 255]))
             WITH ORDINALITY AS r (
                 template, service, source_type, level, status_class, latency_bucket,
                 predicted_level, level_confidence, level_probabilities, category, category_confidence, labels,
                 anomaly_score, anomaly_type, latency_us, n);
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._analyze(logintel.shape[]) IS 'Scores shapes with the models in force, without storing anything.';
