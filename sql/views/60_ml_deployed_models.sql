-- The figures are what the model's own evaluation recorded in its metadata.
CREATE VIEW logintel.ml_deployed_models AS
SELECT m.name, m.version, m.metadata ->> 'kind' AS kind, m.metadata ->> 'candidate' AS candidate,
       (m.metadata ->> 'accuracy')::double precision AS accuracy,
       (m.metadata ->> 'macro_f1')::double precision AS macro_f1,
       (m.metadata ->> 'accuracy_time_split')::double precision AS accuracy_time_split,
       (m.metadata ->> 'accuracy_random_split')::double precision AS accuracy_random_split,
       (m.metadata #>> '{samples,lines}')::bigint AS samples,
       (m.metadata ->> 'trained_at')::timestamptz AS trained_at,
       d.deployed_at, d.deployed_by, octet_length(m.onnx) AS bytes, m.sha256
FROM logintel.model_sets s
JOIN logintel.models m ON m.id = ANY (s.model_ids)
CROSS JOIN LATERAL (SELECT h.deployed_at, h.deployed_by FROM logintel.deployments h
                    WHERE h.model_id = m.id ORDER BY h.id DESC LIMIT 1) AS d
WHERE s.id = (SELECT h.model_set_id FROM logintel.deployments h ORDER BY h.id DESC LIMIT 1)
ORDER BY m.name;

COMMENT ON VIEW logintel.ml_deployed_models IS 'The model versions in force, with the figures of their own recorded evaluation.';
COMMENT ON COLUMN logintel.ml_deployed_models.name IS 'level, category or anomaly.';
COMMENT ON COLUMN logintel.ml_deployed_models.version IS 'Version in force.';
COMMENT ON COLUMN logintel.ml_deployed_models.kind IS 'classifier, or outlier for an anomaly model trained without labels.';
COMMENT ON COLUMN logintel.ml_deployed_models.candidate IS 'The kind of model that was chosen in training.';
COMMENT ON COLUMN logintel.ml_deployed_models.accuracy IS 'Accuracy on templates that training had not seen; null where there were no labels.';
COMMENT ON COLUMN logintel.ml_deployed_models.macro_f1 IS 'Macro-F1 on templates that training had not seen.';
COMMENT ON COLUMN logintel.ml_deployed_models.accuracy_time_split IS 'Accuracy on the latest lines, training on those before.';
COMMENT ON COLUMN logintel.ml_deployed_models.accuracy_random_split IS 'Accuracy on a random split. Flattering: both sides hold the same templates.';
COMMENT ON COLUMN logintel.ml_deployed_models.samples IS 'Lines that it was trained on.';
COMMENT ON COLUMN logintel.ml_deployed_models.trained_at IS 'When it was trained.';
COMMENT ON COLUMN logintel.ml_deployed_models.deployed_at IS 'When it was last put into force.';
COMMENT ON COLUMN logintel.ml_deployed_models.deployed_by IS 'By which role.';
COMMENT ON COLUMN logintel.ml_deployed_models.bytes IS 'Size of the ONNX graph.';
COMMENT ON COLUMN logintel.ml_deployed_models.sha256 IS 'SHA-256 of the ONNX graph.';
