-- The one place that says what a score answers by the name of the model. The planner inlines it. Its body is
-- parsed when it is created, so no search_path of whoever reads a view decides what operators in it mean.
-- A UNION of three in place of VALUES makes PostgreSQL 15 fail where a row of scores is joined with more.
CREATE OR REPLACE FUNCTION logintel._answers(score logintel_internal.scores, anomaly_threshold real)
RETURNS TABLE (name text, answer text, confidence double precision)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 3
BEGIN ATOMIC
    SELECT v.* FROM (VALUES
        ('level', ($1).predicted_level, ($1).level_confidence::double precision),
        ('category', ($1).category, ($1).category_confidence),
        ('anomaly', (($1).anomaly_score >= $2)::text,
         CASE WHEN ($1).anomaly_score >= $2 THEN ($1).anomaly_score ELSE 1 - ($1).anomaly_score END))
        AS v (name, answer, confidence);
END;

COMMENT ON FUNCTION logintel._answers(logintel_internal.scores, real) IS 'What a score answers, a row for each model: the level, the category, or whether the line is an anomaly (true or false), with the confidence in it.';
