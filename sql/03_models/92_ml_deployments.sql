CREATE OR REPLACE VIEW logintel.ml_deployments AS
SELECT d.id, d.deployed_at, d.deployed_by, d.action, m.name, m.version, r.version AS replaced_version, s.model_version, d.why
FROM logintel_internal.deployments d
JOIN logintel_internal.model_sets s ON s.id = d.model_set_id
JOIN logintel_internal.models m ON m.id = d.model_id
LEFT JOIN logintel_internal.models r ON r.id = d.replaced_model_id
ORDER BY d.id DESC;

COMMENT ON VIEW logintel.ml_deployments IS 'History of deployments and rollbacks, newest first; the first row is in force.';
COMMENT ON COLUMN logintel.ml_deployments.id IS 'Order of the deployments.';
COMMENT ON COLUMN logintel.ml_deployments.deployed_at IS 'When.';
COMMENT ON COLUMN logintel.ml_deployments.deployed_by IS 'By which role.';
COMMENT ON COLUMN logintel.ml_deployments.action IS 'deploy or rollback.';
COMMENT ON COLUMN logintel.ml_deployments.name IS 'Model that changed.';
COMMENT ON COLUMN logintel.ml_deployments.version IS 'Version put into force.';
COMMENT ON COLUMN logintel.ml_deployments.replaced_version IS 'Version that it replaced.';
COMMENT ON COLUMN logintel.ml_deployments.model_version IS 'All models in force from then on.';
COMMENT ON COLUMN logintel.ml_deployments.why IS 'Why, where somebody said it.';
