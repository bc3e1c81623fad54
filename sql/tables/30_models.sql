-- Every version of every model, as the bytes that run. Rows are written by import_model(), which lets in only models
-- that reproduce their own golden cases in this server.
CREATE TABLE logintel.models (
    id integer GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    version integer NOT NULL,
    onnx bytea NOT NULL,
    sha256 text NOT NULL,
    metadata jsonb NOT NULL,
    golden jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT session_user,
    CONSTRAINT models_pkey PRIMARY KEY (id),
    CONSTRAINT models_name_version_key UNIQUE (name, version),
    CONSTRAINT models_name_check CHECK (name IN ('level', 'category', 'anomaly'))
);
ALTER TABLE logintel.models ALTER COLUMN onnx SET STORAGE EXTERNAL;

SELECT pg_catalog.pg_extension_config_dump('logintel.models', '');
SELECT pg_catalog.pg_extension_config_dump('logintel.models_id_seq', '');

COMMENT ON TABLE logintel.models IS 'Registered model versions: the ONNX graph, what is known of it, and the golden cases that it has to reproduce.';
COMMENT ON COLUMN logintel.models.id IS 'Identifies the version across all models.';
COMMENT ON COLUMN logintel.models.name IS 'What the model predicts: level, category or anomaly.';
COMMENT ON COLUMN logintel.models.version IS 'Version of the model, counted from 1 for each name.';
COMMENT ON COLUMN logintel.models.onnx IS 'The ONNX graph that onnxruntime runs.';
COMMENT ON COLUMN logintel.models.sha256 IS 'SHA-256 of the ONNX graph; checked whenever a backend loads it.';
COMMENT ON COLUMN logintel.models.metadata IS 'Kind, classes and the recorded evaluation: accuracies, confusion matrix, samples, library versions. See models/README.md.';
COMMENT ON COLUMN logintel.models.golden IS 'Shapes with the outputs that scikit-learn gave for them.';
COMMENT ON COLUMN logintel.models.created_at IS 'When the version was registered.';
COMMENT ON COLUMN logintel.models.created_by IS 'Role that registered it.';
