-- Scores shapes that a model set does not know and appends what it says. At most 256 shapes at once: a running model
-- cannot be cancelled, and its memory grows with the batch.
CREATE FUNCTION logintel._learn_shapes(
    model_set_id integer, shape_hashes bigint[], shapes logintel.shape[], canonical boolean
) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    INSERT INTO logintel.shape_scores (
        model_set_id, canonical, shape_hash, template, service, source_type, level, status_class, latency_bucket,
        predicted_level, level_confidence, level_probabilities, category, category_confidence, labels,
        anomaly_score, anomaly_type, latency_us)
    SELECT $1, $4, r.*
    FROM ROWS FROM (unnest($2), unnest($3), logintel._score_shapes($1, $3)) AS r;
$function$;

COMMENT ON FUNCTION logintel._learn_shapes(integer, bigint[], logintel.shape[], boolean) IS 'Scores shapes with a model set and remembers the scores.';
