-- Scores are appended, by anybody and without waiting for anybody: see scores.
CREATE OR REPLACE FUNCTION logintel._append_scores(
    model_set_id integer, shapes logintel._shapes, scores logintel._scores, canonical boolean, at_write boolean
) RETURNS TABLE (score_id bigint, shape_hash bigint)
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    INSERT INTO logintel_internal.scores (
        id, model_set_id, canonical, shape_hash, template, service, source_type, level, status_class, latency_bucket,
        predicted_level, level_confidence, level_probabilities, category, category_confidence, labels,
        anomaly_score, anomaly_type, unknown_words, is_new_template, latency_us, at_write)
    OVERRIDING SYSTEM VALUE
    SELECT logintel._first_score_id(($2).attachment_id) + nextval('logintel_internal.scores_id_seq'), $1, $4, r.shape_hash, r.template, r.service, r.source_type, r.level, r.status_class, r.latency_bucket,
           r.predicted_level, r.level_confidence, r.level_probabilities, r.category, r.category_confidence, r.labels,
           r.anomaly_score, r.anomaly_type, r.unknown_words, r.is_new_template, r.latency_us, $5
    FROM logintel._score_rows($2, $3) AS r
    RETURNING id, shape_hash;
$function$;

COMMENT ON FUNCTION logintel._append_scores(integer, logintel._shapes, logintel._scores, boolean, boolean) IS 'Remembers what a model set says of shapes; returns the scores.';

-- At most 256 shapes at once: a running model cannot be cancelled, and its memory grows with the batch.
CREATE OR REPLACE FUNCTION logintel._score_and_remember(model_set_id integer, shapes logintel._shapes, canonical boolean, at_write boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    scores logintel._scores := logintel._score_shapes(model_set_id, shapes);
BEGIN
    PERFORM logintel._append_scores(model_set_id, shapes, scores, canonical, at_write);
END
$function$;

COMMENT ON FUNCTION logintel._score_and_remember(integer, logintel._shapes, boolean, boolean) IS 'Scores shapes with a model set and remembers the scores.';
