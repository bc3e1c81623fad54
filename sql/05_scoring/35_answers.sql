-- The one place that says what a score answers by the name of the model. The planner inlines it. Its body is
-- parsed when it is created, so no search_path of whoever reads a view decides what operators in it mean.
CREATE OR REPLACE FUNCTION logintel._answers(score logintel.shape_scores, anomaly_threshold real)
RETURNS TABLE (name text, answer text, confidence double precision)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 3
BEGIN ATOMIC
    SELECT 'level', ($1).predicted_level, ($1).level_confidence::double precision
    UNION ALL
    SELECT 'category', ($1).category, ($1).category_confidence::double precision
    UNION ALL
    SELECT 'anomaly', (($1).anomaly_score >= $2)::text,
           CASE WHEN ($1).anomaly_score >= $2 THEN ($1).anomaly_score ELSE 1 - ($1).anomaly_score END::double precision;
END;

COMMENT ON FUNCTION logintel._answers(logintel.shape_scores, real) IS 'What a score answers, a row for each model: the level, the category, or whether the line is an anomaly (true or false), with the confidence in it.';
