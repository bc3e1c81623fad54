-- What the deployed models say of lines that need not be stored anywhere.
CREATE OR REPLACE FUNCTION logintel._analyze(shapes logintel.shape[]) RETURNS SETOF logintel.analysis
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    active integer := logintel._set_in_force();
    threshold real := logintel._setting('anomaly_threshold');
    batch logintel._shapes;
    scores logintel._scores;
BEGIN
    IF active IS NULL THEN
        RAISE EXCEPTION 'no model is deployed' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Train one with "logintel train --deploy", or run SELECT logintel.deploy(name).';
    END IF;
    FOR start IN 1 .. cardinality(shapes) BY 256 LOOP
        SELECT NULL, array_agg(s.template), array_agg(s.service), array_agg(s.source_type), array_agg(s.level),
               array_agg(s.status_class), array_agg(s.latency_bucket), NULL
        INTO batch FROM unnest(shapes[start:start + 255]) AS s;
        scores := logintel._score_shapes(active, batch);  -- once: the planner repeats what it puts into a query
        RETURN QUERY
        SELECT start - 1 + r.number, r.template, r.predicted_level, r.level_confidence, logintel._probabilities(r.level_probabilities),
               r.category, r.category_confidence, r.labels, r.anomaly_score >= threshold, r.anomaly_score,
               CASE WHEN r.anomaly_score >= threshold THEN r.anomaly_type END,
               logintel.severity(r.predicted_level, r.anomaly_score >= threshold),
               (SELECT s.model_version FROM logintel_internal.model_sets s WHERE s.id = active)
        FROM logintel._score_rows(batch, scores) AS r;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._analyze(logintel.shape[]) IS 'Scores shapes with the models in force, without storing anything.';
