-- What a version is, where it comes from and what became of it. The graph is not in it: export_model() has it.
CREATE OR REPLACE VIEW logintel.ml_models AS
SELECT m.name, m.version,
       CASE WHEN m.dropped_at IS NOT NULL THEN 'dropped'
            WHEN m.retired_at IS NOT NULL THEN 'retired'
            WHEN f.model_id IS NOT NULL THEN 'in force'
            WHEN m.id = ANY (c.model_ids) THEN 'challenger'
            WHEN EXISTS (SELECT FROM logintel_internal.model_sets b
                         WHERE b.id = ANY (v.shadow_set_ids) AND m.id = ANY (b.model_ids)) THEN 'shadow'
            ELSE 'registered' END AS state,
       m.metadata ->> 'kind' AS kind, m.metadata ->> 'candidate' AS candidate, e.members,
       (m.metadata ->> 'accuracy')::double precision AS accuracy,
       (m.metadata ->> 'macro_f1')::double precision AS macro_f1,
       (m.metadata #>> '{samples,lines}')::bigint AS samples,
       (m.metadata ->> 'trained_at')::timestamptz AS trained_at,
       coalesce(octet_length(m.onnx), e.bytes) AS bytes, m.sha256,
       m.metadata -> 'trained_from' AS trained_from, m.metadata -> 'trained_with' AS trained_with,
       (m.metadata ->> 'replaces')::integer AS replaces,
       m.created_at AS registered_at, m.created_by AS registered_by,
       d.deployed_at, d.deployed_by, d.replaced_version,
       m.retired_at, m.retired_by, m.retired_why, m.dropped_at,
       m.metadata - '{vocabulary,baseline,tokenizer,trained_from,trained_with}'::text[] AS metadata,
       (m.metadata ->> 'accuracy_time_split')::double precision AS accuracy_time_split,
       (m.metadata ->> 'accuracy_random_split')::double precision AS accuracy_random_split,
       CASE WHEN m.dropped_at IS NOT NULL OR NOT l.are_known THEN NULL
            WHEN l.faults IS NULL THEN 'SQL'
            WHEN to_regprocedure('logintel._python_outputs(text, bytea, jsonb, jsonb)') IS NOT NULL THEN 'onnxruntime'
            ELSE 'logintel worker' END AS scored_by,
       l.faults AS not_linear
FROM logintel_internal.models m
LEFT JOIN logintel_internal._in_force f ON f.model_id = m.id
LEFT JOIN logintel_internal.serving v ON v.id = (SELECT max(n.id) FROM logintel_internal.serving n)
LEFT JOIN logintel_internal.model_sets c ON c.id = v.challenger_set_id
LEFT JOIN LATERAL (
    SELECT array_agg(p.version ORDER BY p.version) AS members, sum(octet_length(p.onnx))::bigint AS bytes
    FROM logintel_internal.models p
    WHERE m.metadata ->> 'kind' = 'ensemble' AND p.name = m.name AND m.metadata -> 'members' @> to_jsonb(p.version)) AS e ON true
LEFT JOIN LATERAL (
    SELECT h.deployed_at, h.deployed_by, r.version AS replaced_version FROM logintel_internal.deployments h
    LEFT JOIN logintel_internal.models r ON r.id = h.replaced_model_id
    WHERE h.model_id = m.id ORDER BY h.id DESC LIMIT 1) AS d ON true
CROSS JOIN LATERAL (
    SELECT string_agg(f.fault, '; ' ORDER BY f.model_id) AS faults, count(f.model_id) > 0 AND bool_and(f.model_id IS NOT NULL) AS are_known
    FROM logintel_internal.models p
    LEFT JOIN logintel_internal.linear_models f ON f.model_id = p.id
    WHERE p.id = m.id AND m.metadata ->> 'kind' <> 'ensemble'
       OR m.metadata ->> 'kind' = 'ensemble' AND p.name = m.name AND m.metadata -> 'members' @> to_jsonb(p.version)) AS l
ORDER BY m.name, m.version DESC;

COMMENT ON VIEW logintel.ml_models IS 'All model versions, newest first within a name: what they are, what they come from, what became of them.';
COMMENT ON COLUMN logintel.ml_models.name IS 'level, category or anomaly.';
COMMENT ON COLUMN logintel.ml_models.version IS 'Version of the model, counted from 1 for each name.';
COMMENT ON COLUMN logintel.ml_models.state IS 'in force; shadow or challenger in a running A/B test; registered; retired; dropped, which is retired and without its graph.';
COMMENT ON COLUMN logintel.ml_models.kind IS 'classifier, outlier for an anomaly model trained without labels, or ensemble.';
COMMENT ON COLUMN logintel.ml_models.candidate IS 'The kind of model that was chosen in training.';
COMMENT ON COLUMN logintel.ml_models.members IS 'Versions that an ensemble combines; null for any other.';
COMMENT ON COLUMN logintel.ml_models.accuracy IS 'Accuracy on templates that training had not seen; null where nobody measured it.';
COMMENT ON COLUMN logintel.ml_models.macro_f1 IS 'Macro-F1 on templates that training had not seen.';
COMMENT ON COLUMN logintel.ml_models.samples IS 'Lines that it was trained on.';
COMMENT ON COLUMN logintel.ml_models.trained_at IS 'When it was trained.';
COMMENT ON COLUMN logintel.ml_models.bytes IS 'Size of the ONNX graph; of an ensemble, those of its members together.';
COMMENT ON COLUMN logintel.ml_models.sha256 IS 'SHA-256 of the ONNX graph; of an ensemble, of its members'' and the way of combining.';
COMMENT ON COLUMN logintel.ml_models.trained_from IS 'What it learnt from: table, lines, time of the first and the last one, and how many of them had a verdict (feedback).';
COMMENT ON COLUMN logintel.ml_models.trained_with IS 'The options and the seed it was trained with.';
COMMENT ON COLUMN logintel.ml_models.replaces IS 'The version that was in force when it was trained.';
COMMENT ON COLUMN logintel.ml_models.registered_at IS 'When it was registered.';
COMMENT ON COLUMN logintel.ml_models.registered_by IS 'By which role.';
COMMENT ON COLUMN logintel.ml_models.deployed_at IS 'When it was last put into force; null for never.';
COMMENT ON COLUMN logintel.ml_models.deployed_by IS 'By which role.';
COMMENT ON COLUMN logintel.ml_models.replaced_version IS 'Version that it replaced then.';
COMMENT ON COLUMN logintel.ml_models.retired_at IS 'When it was retired.';
COMMENT ON COLUMN logintel.ml_models.retired_by IS 'By which role.';
COMMENT ON COLUMN logintel.ml_models.retired_why IS 'Why, where somebody said it.';
COMMENT ON COLUMN logintel.ml_models.dropped_at IS 'When its graph was removed.';
COMMENT ON COLUMN logintel.ml_models.metadata IS 'All else that is known of it, see models/README.md; a vocabulary or a tokenizer is left out.';
COMMENT ON COLUMN logintel.ml_models.accuracy_time_split IS 'Accuracy on the latest lines, training on those before.';
COMMENT ON COLUMN logintel.ml_models.accuracy_random_split IS 'Accuracy on a random split. Flattering: both sides hold the same templates.';
COMMENT ON COLUMN logintel.ml_models.scored_by IS 'Who scores new shapes with it: SQL, where it is linear; else onnxruntime, where the extension logintel_python is; else logintel worker. Null for a version of an earlier release that has not been in force since.';
COMMENT ON COLUMN logintel.ml_models.not_linear IS 'What of it SQL cannot express; null for a linear model.';
