-- Every version of every model, as the bytes that run. Rows are written by import_model(), which lets in only models
-- that reproduce their own golden cases in this server, and by create_ensemble(), which combines some that are there. Rows
-- stay: predictions and deployments name them. A retired version can give its bytes back.
CREATE TABLE logintel_internal.models (
    id integer GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    version integer NOT NULL,
    onnx bytea,
    sha256 text NOT NULL,
    metadata jsonb NOT NULL,
    golden jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT session_user,
    retired_at timestamptz,
    retired_by text,
    retired_why text,
    dropped_at timestamptz,
    CONSTRAINT models_pkey PRIMARY KEY (id),
    CONSTRAINT models_name_version_key UNIQUE (name, version),
    CONSTRAINT models_name_check CHECK (name IN ('level', 'category', 'anomaly')),
    CONSTRAINT models_dropped_at_check CHECK (dropped_at IS NULL OR retired_at IS NOT NULL),
    CONSTRAINT models_onnx_check CHECK (
        (onnx IS NULL) = (dropped_at IS NOT NULL OR metadata ->> 'kind' IS NOT DISTINCT FROM 'ensemble')),
    CONSTRAINT models_golden_check CHECK ((golden IS NULL) = (dropped_at IS NOT NULL))
);
ALTER TABLE logintel_internal.models ALTER COLUMN onnx SET STORAGE EXTERNAL;

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.models', '');
SELECT pg_catalog.pg_extension_config_dump('logintel_internal.models_id_seq', '');

COMMENT ON TABLE logintel_internal.models IS 'Registered model versions: the ONNX graph, what is known of it, and the golden cases that it has to reproduce.';
COMMENT ON COLUMN logintel_internal.models.id IS 'Identifies the version across all models.';
COMMENT ON COLUMN logintel_internal.models.name IS 'What the model predicts: level, category or anomaly.';
COMMENT ON COLUMN logintel_internal.models.version IS 'Version of the model, counted from 1 for each name.';
COMMENT ON COLUMN logintel_internal.models.onnx IS 'The ONNX graph that onnxruntime runs; null for an ensemble, whose members have one each, and for a dropped version.';
COMMENT ON COLUMN logintel_internal.models.sha256 IS 'SHA-256 of the ONNX graph; of an ensemble, of its members'' and the way of combining. Checked whenever a backend loads the version.';
COMMENT ON COLUMN logintel_internal.models.metadata IS 'Kind, classes and the recorded evaluation: accuracies, confusion matrix, samples, library versions. See models/README.md.';
COMMENT ON COLUMN logintel_internal.models.golden IS 'Shapes with the outputs that scikit-learn gave for them; none for an ensemble, null for a dropped version.';
COMMENT ON COLUMN logintel_internal.models.created_at IS 'When the version was registered.';
COMMENT ON COLUMN logintel_internal.models.created_by IS 'Role that registered it.';
COMMENT ON COLUMN logintel_internal.models.retired_at IS 'When it was retired: it is never used again. Null while it can be used.';
COMMENT ON COLUMN logintel_internal.models.retired_by IS 'Role that retired it.';
COMMENT ON COLUMN logintel_internal.models.retired_why IS 'Why, in the words of whoever did it; null where nothing was said.';
COMMENT ON COLUMN logintel_internal.models.dropped_at IS 'When the graph of the retired version was removed; null while it is there.';
