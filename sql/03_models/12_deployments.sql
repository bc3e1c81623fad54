-- The history of who put what into force, and why. What scores lines is in serving.
--
-- No table that a dump holds has a foreign key to another one: pg_restore --jobs loads them in any order, and would
-- lose the rows that come first. What they name is never deleted (81_keep_models.sql).
CREATE TABLE logintel_internal.deployments (
    id integer GENERATED ALWAYS AS IDENTITY,
    model_set_id integer NOT NULL,
    action text NOT NULL,
    model_id integer NOT NULL,
    replaced_model_id integer,
    deployed_at timestamptz NOT NULL DEFAULT now(),
    deployed_by text NOT NULL DEFAULT session_user,
    why text,
    CONSTRAINT deployments_pkey PRIMARY KEY (id),
    CONSTRAINT deployments_action_check CHECK (action IN ('deploy', 'rollback'))
);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.deployments', '');
SELECT pg_catalog.pg_extension_config_dump('logintel_internal.deployments_id_seq', '');

COMMENT ON TABLE logintel_internal.deployments IS 'Every deployment and rollback; what scores lines is in serving.';
COMMENT ON COLUMN logintel_internal.deployments.id IS 'Order of the deployments.';
COMMENT ON COLUMN logintel_internal.deployments.model_set_id IS 'The model set that scores lines from here on.';
COMMENT ON COLUMN logintel_internal.deployments.action IS 'deploy or rollback.';
COMMENT ON COLUMN logintel_internal.deployments.model_id IS 'The model version that was put into the set.';
COMMENT ON COLUMN logintel_internal.deployments.replaced_model_id IS 'The version that it replaced; null for the first of its name.';
COMMENT ON COLUMN logintel_internal.deployments.deployed_at IS 'When.';
COMMENT ON COLUMN logintel_internal.deployments.deployed_by IS 'By which role.';
COMMENT ON COLUMN logintel_internal.deployments.why IS 'Why, in the words of whoever did it; null where nothing was said.';
