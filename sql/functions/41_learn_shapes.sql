-- Scores shapes that a model set does not know and appends what it says. At most 256 shapes at once: a running model
-- cannot be cancelled, and its memory grows with the batch.
CREATE FUNCTION logintel._learn_shapes(model_set_id integer, shapes logintel.shape[], canonical boolean) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    INSERT INTO logintel.shape_scores (
        model_set_id, shape_hash, canonical, template, service, source_type, level, status_class, latency_bucket,
        predicted_level, level_confidence, level_probabilities, category, category_confidence, labels,
        anomaly_score, anomaly_type, latency_us)
    SELECT $1, logintel._hash_shape(r.template, r.service, r.source_type, r.level, r.status_class, r.latency_bucket), $3,
           r.template, r.service, r.source_type, r.level, r.status_class, r.latency_bucket,
           r.predicted_level, r.level_confidence, r.level_probabilities, r.category, r.category_confidence, r.labels,
           r.anomaly_score, r.anomaly_type, r.latency_us
    FROM ROWS FROM (unnest($2), logintel._score_shapes($1, $2)) AS r (
        template, service, source_type, level, status_class, latency_bucket,
        predicted_level, level_confidence, level_probabilities, category, category_confidence, labels,
        anomaly_score, anomaly_type, latency_us);
$function$;

COMMENT ON FUNCTION logintel._learn_shapes(integer, logintel.shape[], boolean) IS 'Scores shapes with a model set and remembers the scores.';
