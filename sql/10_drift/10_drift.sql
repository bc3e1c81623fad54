-- How far the lines of a day are from those that a model was trained on: a row for each measure, of all lines and of each
-- service. Measured from sums of counts, so a day that retention has dropped keeps its rows. What state a row is in depends on the
-- day before it too: the view ml_drift says it.
CREATE TABLE logintel_internal.drift (
    model_id integer NOT NULL,
    day date NOT NULL,
    service text,
    measure text NOT NULL,
    value double precision NOT NULL,
    usual double precision,
    watch_from double precision NOT NULL,
    drift_from double precision NOT NULL,
    lines bigint NOT NULL,
    evidence jsonb NOT NULL,
    judged_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT drift_key UNIQUE NULLS NOT DISTINCT (model_id, measure, day, service),
    CONSTRAINT drift_measure_check CHECK (
        measure IN ('classes', 'confidence', 'services', 'new_templates', 'unknown_words', 'new_services'))
);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.drift', '');

COMMENT ON TABLE logintel_internal.drift IS 'How far the lines of each day are from those that the model serving them was trained on. Read the view ml_drift instead.';
COMMENT ON COLUMN logintel_internal.drift.model_id IS 'The model version that served the lines.';
COMMENT ON COLUMN logintel_internal.drift.day IS 'The day, UTC, by the time of the lines.';
COMMENT ON COLUMN logintel_internal.drift.service IS 'The service whose lines are judged, digits in it as #; null for all lines.';
COMMENT ON COLUMN logintel_internal.drift.measure IS 'What was measured: classes, confidence, services, new_templates, unknown_words or new_services.';
COMMENT ON COLUMN logintel_internal.drift.value IS 'Population stability index of classes, confidence and services; share of the lines, or of their words, of the others.';
COMMENT ON COLUMN logintel_internal.drift.usual IS 'The most that the training lines strayed by themselves from day to day; null where they were too few to tell.';
COMMENT ON COLUMN logintel_internal.drift.watch_from IS 'The value to watch from.';
COMMENT ON COLUMN logintel_internal.drift.drift_from IS 'The value that is drift from here on.';
COMMENT ON COLUMN logintel_internal.drift.lines IS 'Lines judged.';
COMMENT ON COLUMN logintel_internal.drift.evidence IS 'The rows behind the value, at most ten: shares then (in training) and now, or what is new, with its lines.';
COMMENT ON COLUMN logintel_internal.drift.judged_at IS 'When.';
