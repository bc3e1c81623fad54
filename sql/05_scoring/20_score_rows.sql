-- The scores of a batch as rows, in the order of its shapes. Set-returning functions in one list go in step, without the
-- copies that ROWS FROM would make.
CREATE OR REPLACE FUNCTION logintel._score_rows(shapes logintel._shapes, scores logintel._scores) RETURNS TABLE (
    number bigint, shape_hash bigint, template text, service text, source_type text, level text, status_class text, latency_bucket text,
    predicted_level text, level_confidence real, level_probabilities real[], category text, category_confidence real,
    labels text[], anomaly_score real, anomaly_type text, unknown_words real, is_new_template boolean, latency_us real
)
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT r.number, r.shape_hash, r.template, r.service, r.source_type, r.level, r.status_class, r.latency_bucket,
           r.predicted_level, r.level_confidence, ((scores).level_probabilities)[r.number * 5 - 4 : r.number * 5],
           r.category, r.category_confidence, r.labels::text[], r.anomaly_score, r.anomaly_type, r.unknown_words,
           r.is_new_template, (scores).latency_us
    FROM (SELECT generate_subscripts((shapes).template, 1)::bigint AS number, unnest((shapes).shape_hash) AS shape_hash,
                 unnest((shapes).template) AS template, unnest((shapes).service) AS service,
                 unnest((shapes).source_type) AS source_type, unnest((shapes).level) AS level,
                 unnest((shapes).status_class) AS status_class, unnest((shapes).latency_bucket) AS latency_bucket,
                 unnest((scores).predicted_level) AS predicted_level, unnest((scores).level_confidence) AS level_confidence,
                 unnest((scores).category) AS category, unnest((scores).category_confidence) AS category_confidence,
                 unnest((scores).labels) AS labels, unnest((scores).anomaly_score) AS anomaly_score,
                 unnest((scores).anomaly_type) AS anomaly_type, unnest((scores).unknown_words) AS unknown_words,
                 unnest((scores).is_new_template) AS is_new_template) AS r;
END;

COMMENT ON FUNCTION logintel._score_rows(logintel._shapes, logintel._scores) IS 'Shapes and their scores as rows.';

CREATE OR REPLACE FUNCTION logintel._probabilities(level_probabilities real[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN level_probabilities IS NOT NULL THEN jsonb_build_object(
    'DEBUG', level_probabilities[1], 'INFO', level_probabilities[2], 'WARN', level_probabilities[3],
    'ERROR', level_probabilities[4], 'FATAL', level_probabilities[5]) END;

COMMENT ON FUNCTION logintel._probabilities(real[]) IS 'The probability of each level by its name.';
