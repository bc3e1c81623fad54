-- The one place that says what is in force; a statement reads it under its own snapshot.
CREATE OR REPLACE VIEW logintel_internal._in_force AS
SELECT s.id AS model_set_id, s.model_version, m.id AS model_id, m.name, m.version
FROM logintel_internal.model_sets s
JOIN logintel_internal.models m ON m.id = ANY (s.model_ids)
WHERE s.id = (SELECT v.model_set_id FROM logintel_internal.serving v ORDER BY v.id DESC LIMIT 1);

COMMENT ON VIEW logintel_internal._in_force IS 'The model versions in force, a row each, with their set.';
COMMENT ON COLUMN logintel_internal._in_force.model_set_id IS 'The set in force.';
COMMENT ON COLUMN logintel_internal._in_force.model_version IS 'The versions of the set, in words.';
COMMENT ON COLUMN logintel_internal._in_force.model_id IS 'Id of the version in models.';
COMMENT ON COLUMN logintel_internal._in_force.name IS 'Name of the model: level, category or anomaly.';
COMMENT ON COLUMN logintel_internal._in_force.version IS 'Its version.';
