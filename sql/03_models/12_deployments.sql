-- The history of who put what into force, and why. What scores lines is in serving.
CREATE TABLE logintel.deployments (
    id integer GENERATED ALWAYS AS IDENTITY,
    model_set_id integer NOT NULL,
    action text NOT NULL,
    model_id integer NOT NULL,
    replaced_model_id integer,
    deployed_at timestamptz NOT NULL DEFAULT now(),
    deployed_by text NOT NULL DEFAULT session_user,
    why text,
    CONSTRAINT deployments_pkey PRIMARY KEY (id),
    CONSTRAINT deployments_action_check CHECK (action IN ('deploy', 'rollback')),
    CONSTRAINT deployments_model_set_id_fkey FOREIGN KEY (model_set_id) REFERENCES logintel.model_sets (id),
    CONSTRAINT deployments_model_id_fkey FOREIGN KEY (model_id) REFERENCES logintel.models (id),
    CONSTRAINT deployments_replaced_model_id_fkey FOREIGN KEY (replaced_model_id) REFERENCES logintel.models (id)
);

SELECT pg_catalog.pg_extension_config_dump('logintel.deployments', '');
SELECT pg_catalog.pg_extension_config_dump('logintel.deployments_id_seq', '');

COMMENT ON TABLE logintel.deployments IS 'Every deployment and rollback; what scores lines is in serving.';
COMMENT ON COLUMN logintel.deployments.id IS 'Order of the deployments.';
COMMENT ON COLUMN logintel.deployments.model_set_id IS 'The model set that scores lines from here on.';
COMMENT ON COLUMN logintel.deployments.action IS 'deploy or rollback.';
COMMENT ON COLUMN logintel.deployments.model_id IS 'The model version that was put into the set.';
COMMENT ON COLUMN logintel.deployments.replaced_model_id IS 'The version that it replaced; null for the first of its name.';
COMMENT ON COLUMN logintel.deployments.deployed_at IS 'When.';
COMMENT ON COLUMN logintel.deployments.deployed_by IS 'By which role.';
COMMENT ON COLUMN logintel.deployments.why IS 'Why, in the words of whoever did it; null where nothing was said.';
