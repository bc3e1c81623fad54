-- The figures are what the model's own evaluation recorded in its metadata.
CREATE OR REPLACE VIEW logintel.ml_deployed_models AS
SELECT m.name, m.version, m.kind, m.candidate, m.members, m.accuracy, m.macro_f1,
       (m.metadata ->> 'accuracy_time_split')::double precision AS accuracy_time_split,
       (m.metadata ->> 'accuracy_random_split')::double precision AS accuracy_random_split,
       m.samples, m.trained_at, m.deployed_at, m.deployed_by, m.bytes, m.sha256
FROM logintel.ml_models m
WHERE m.state = 'in force'
ORDER BY m.name;

COMMENT ON VIEW logintel.ml_deployed_models IS 'The model versions in force, with the figures of their own recorded evaluation.';
COMMENT ON COLUMN logintel.ml_deployed_models.name IS 'level, category or anomaly.';
COMMENT ON COLUMN logintel.ml_deployed_models.version IS 'Version in force.';
COMMENT ON COLUMN logintel.ml_deployed_models.kind IS 'classifier, outlier for an anomaly model trained without labels, or ensemble.';
COMMENT ON COLUMN logintel.ml_deployed_models.candidate IS 'The kind of model that was chosen in training.';
COMMENT ON COLUMN logintel.ml_deployed_models.members IS 'Versions that an ensemble combines; null for any other.';
COMMENT ON COLUMN logintel.ml_deployed_models.accuracy IS 'Accuracy on templates that training had not seen; null where there were no labels, and for an ensemble.';
COMMENT ON COLUMN logintel.ml_deployed_models.macro_f1 IS 'Macro-F1 on templates that training had not seen.';
COMMENT ON COLUMN logintel.ml_deployed_models.accuracy_time_split IS 'Accuracy on the latest lines, training on those before.';
COMMENT ON COLUMN logintel.ml_deployed_models.accuracy_random_split IS 'Accuracy on a random split. Flattering: both sides hold the same templates.';
COMMENT ON COLUMN logintel.ml_deployed_models.samples IS 'Lines that it was trained on.';
COMMENT ON COLUMN logintel.ml_deployed_models.trained_at IS 'When it was trained.';
COMMENT ON COLUMN logintel.ml_deployed_models.deployed_at IS 'When it was last put into force.';
COMMENT ON COLUMN logintel.ml_deployed_models.deployed_by IS 'By which role.';
COMMENT ON COLUMN logintel.ml_deployed_models.bytes IS 'Size of the ONNX graph; of an ensemble, those of its members together.';
COMMENT ON COLUMN logintel.ml_deployed_models.sha256 IS 'SHA-256 of the ONNX graph; of an ensemble, of its members'' and the way of combining.';
