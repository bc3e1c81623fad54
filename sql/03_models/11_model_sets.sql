-- The model versions that score a line together: one of each name. Sets never change, so what a set said of a shape
-- stays true, and a rollback finds the scores of the set it returns to.
CREATE TABLE logintel_internal.model_sets (
    id integer GENERATED ALWAYS AS IDENTITY,
    model_ids integer[] NOT NULL,
    model_version text NOT NULL,
    level_is_default boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT model_sets_pkey PRIMARY KEY (id),
    CONSTRAINT model_sets_model_ids_key UNIQUE (model_ids)
);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.model_sets', '');
SELECT pg_catalog.pg_extension_config_dump('logintel_internal.model_sets_id_seq', '');

COMMENT ON TABLE logintel_internal.model_sets IS 'Combinations of model versions that have scored lines together.';
COMMENT ON COLUMN logintel_internal.model_sets.id IS 'Identifies the set.';
COMMENT ON COLUMN logintel_internal.model_sets.model_ids IS 'Ids in models, ascending.';
COMMENT ON COLUMN logintel_internal.model_sets.level_is_default IS 'Whether its level model is a default one. That one knows what words mean, but not the habits of a source: it corrects only what it reads as a problem (WARN and above) and the source does not.';
COMMENT ON COLUMN logintel_internal.model_sets.model_version IS 'The set in words, such as "anomaly 1, level 3".';
COMMENT ON COLUMN logintel_internal.model_sets.created_at IS 'When the set was first deployed.';
