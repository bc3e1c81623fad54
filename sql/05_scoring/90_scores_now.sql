-- A score read under the settings of the moment: a changed threshold acts on history too. A rescored one is read as the
-- score that took its place.
CREATE OR REPLACE VIEW logintel_internal._scores_now AS
SELECT o.id AS score_id, s.model_set_id, s.template, s.service, s.source_type, s.level,
       n.level AS declared_level, s.predicted_level, s.level_confidence, logintel._probabilities(s.level_probabilities) AS level_probabilities,
       s.category, s.category_confidence, s.labels,
       v.is_anomaly, s.anomaly_score,
       CASE WHEN v.is_anomaly THEN s.anomaly_score ELSE (1 - s.anomaly_score)::real END AS anomaly_confidence,
       CASE WHEN v.is_anomaly THEN s.anomaly_type END AS anomaly_type,
       logintel.severity(s.predicted_level, v.is_anomaly) AS severity,
       logintel._corrects(n.level, s.predicted_level, s.level_confidence, s.level_probabilities, settings.min_confidence)
           AND (NOT m.level_is_default OR (n.level IN ('DEBUG', 'INFO') AND s.predicted_level IN ('WARN', 'ERROR', 'FATAL')))
           AS is_correction,
       s.level_confidence < settings.min_confidence AS is_abstained,
       m.model_version, s.latency_us, CASE WHEN o.rescored_id IS NOT NULL THEN s.scored_at END AS rescored_at,
       (SELECT a.log_table FROM logintel_internal.attachments a WHERE a.id = logintel._attachment_of(o.id)) AS log_table
FROM logintel_internal.scores o
JOIN logintel_internal.scores s ON s.id = coalesce(o.rescored_id, o.id)
JOIN logintel_internal.model_sets m ON m.id = s.model_set_id
CROSS JOIN (SELECT max(value) FILTER (WHERE name = 'anomaly_threshold')::real AS anomaly_threshold,
                   max(value) FILTER (WHERE name = 'classification_min_confidence')::real AS min_confidence
            FROM logintel.settings) AS settings
CROSS JOIN LATERAL (SELECT s.anomaly_score >= settings.anomaly_threshold AS is_anomaly) AS v
LEFT JOIN logintel.level_names n ON n.name = logintel._level_name(s.level);

COMMENT ON VIEW logintel_internal._scores_now IS 'Scores of shapes under the settings in force, with the declared level normalised.';
COMMENT ON COLUMN logintel_internal._scores_now.score_id IS 'Identifies the score.';
COMMENT ON COLUMN logintel_internal._scores_now.model_set_id IS 'Model set that gave it.';
COMMENT ON COLUMN logintel_internal._scores_now.template IS 'The masked message.';
COMMENT ON COLUMN logintel_internal._scores_now.service IS 'Service of the shape.';
COMMENT ON COLUMN logintel_internal._scores_now.source_type IS 'Source type of the shape.';
COMMENT ON COLUMN logintel_internal._scores_now.level IS 'Declared level as the source wrote it.';
COMMENT ON COLUMN logintel_internal._scores_now.declared_level IS 'Declared level, normalised; null when unknown.';
COMMENT ON COLUMN logintel_internal._scores_now.predicted_level IS 'Predicted level.';
COMMENT ON COLUMN logintel_internal._scores_now.level_confidence IS 'Probability of the predicted level.';
COMMENT ON COLUMN logintel_internal._scores_now.level_probabilities IS 'Probability of each level.';
COMMENT ON COLUMN logintel_internal._scores_now.category IS 'Likeliest category.';
COMMENT ON COLUMN logintel_internal._scores_now.category_confidence IS 'Probability of that category.';
COMMENT ON COLUMN logintel_internal._scores_now.labels IS 'All categories that apply.';
COMMENT ON COLUMN logintel_internal._scores_now.is_anomaly IS 'Whether the anomaly score reaches the threshold in force.';
COMMENT ON COLUMN logintel_internal._scores_now.anomaly_score IS 'How anomalous, 0 to 1.';
COMMENT ON COLUMN logintel_internal._scores_now.anomaly_confidence IS 'Confidence of is_anomaly, 0 to 1.';
COMMENT ON COLUMN logintel_internal._scores_now.anomaly_type IS 'Kind of anomaly; null when it is none.';
COMMENT ON COLUMN logintel_internal._scores_now.severity IS 'critical, high, medium or low.';
COMMENT ON COLUMN logintel_internal._scores_now.is_correction IS 'Whether the predicted level corrects the declared one: one of DEBUG and INFO, WARN, or ERROR and FATAL takes the place of another, by the minimum confidence or, to lower a level, by half of what that leaves to certainty. A default model corrects only problems that the source declares as none: see model_sets.';
COMMENT ON COLUMN logintel_internal._scores_now.is_abstained IS 'Whether the level stays below the minimum confidence.';
COMMENT ON COLUMN logintel_internal._scores_now.model_version IS 'The models that gave the score.';
COMMENT ON COLUMN logintel_internal._scores_now.latency_us IS 'What computing the score took, in microseconds.';
COMMENT ON COLUMN logintel_internal._scores_now.rescored_at IS 'When these models scored it, where others had scored it first; else null.';
COMMENT ON COLUMN logintel_internal._scores_now.log_table IS 'The log table whose lines have it; null once it is detached.';
