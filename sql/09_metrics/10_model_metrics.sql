-- How the models did, by hour of the lines: written by the upkeep, read through the view ml_model_metrics. A window is
-- computed again whenever its lines or the verdicts on them change; one that has no lines left keeps what was measured, so
-- that retention does not erase the series. A figure that the data cannot give is null.
CREATE TABLE logintel_internal.model_metrics (
    name text NOT NULL,
    version integer NOT NULL,
    window_start timestamptz NOT NULL,
    predictions bigint NOT NULL DEFAULT 0,
    hour_lines double precision,
    feedback_lines bigint NOT NULL DEFAULT 0,
    accuracy double precision,
    declared_lines bigint,
    declared_accuracy double precision,
    "precision" double precision,
    recall double precision,
    false_positive_rate double precision,
    calibration_error double precision,
    declared_calibration_error double precision,
    mean_confidence double precision,
    abstained_share double precision,
    latency_mean_us double precision,
    latency_p95_us double precision,
    latency_max_us double precision,
    known_share double precision,
    failures bigint NOT NULL DEFAULT 0,
    measured_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT model_metrics_pkey PRIMARY KEY (window_start, name, version)
);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.model_metrics', '');

-- Verdicts to be looked at. Appended by anybody, without waiting for anybody: duplicates do no harm. Not dumped: where a
-- dump is restored, each verdict in it comes in as a new one.
CREATE TABLE logintel_internal.changed_verdicts (
    feedback_id bigint NOT NULL
);

COMMENT ON TABLE logintel_internal.model_metrics IS 'How each model version did in each hour, as last measured by maintain(). Read the view ml_model_metrics instead.';
COMMENT ON COLUMN logintel_internal.model_metrics.name IS 'level, category or anomaly.';
COMMENT ON COLUMN logintel_internal.model_metrics.version IS 'Version of the model.';
COMMENT ON COLUMN logintel_internal.model_metrics.window_start IS 'Start of the hour, UTC, by the time of the lines.';
COMMENT ON COLUMN logintel_internal.model_metrics.predictions IS 'Lines that the version scored.';
COMMENT ON COLUMN logintel_internal.model_metrics.hour_lines IS 'Lines of the hour that have a prediction of any version.';
COMMENT ON COLUMN logintel_internal.model_metrics.feedback_lines IS 'Lines with a verdict on what the model predicts.';
COMMENT ON COLUMN logintel_internal.model_metrics.accuracy IS 'Share of them that it got right.';
COMMENT ON COLUMN logintel_internal.model_metrics.declared_lines IS 'Level model: lines that declare a known level.';
COMMENT ON COLUMN logintel_internal.model_metrics.declared_accuracy IS 'Share of them that it gives the declared level.';
COMMENT ON COLUMN logintel_internal.model_metrics."precision" IS 'Anomaly model: anomalies among the judged lines that it took for some.';
COMMENT ON COLUMN logintel_internal.model_metrics.recall IS 'Anomaly model: share of the judged anomalies that it found.';
COMMENT ON COLUMN logintel_internal.model_metrics.false_positive_rate IS 'Anomaly model: share that it took for anomalies among the lines judged to be none.';
COMMENT ON COLUMN logintel_internal.model_metrics.calibration_error IS 'Level, category: how far confidence is from accuracy against feedback.';
COMMENT ON COLUMN logintel_internal.model_metrics.declared_calibration_error IS 'Level: the same against declared levels.';
COMMENT ON COLUMN logintel_internal.model_metrics.mean_confidence IS 'Mean confidence of the predictions.';
COMMENT ON COLUMN logintel_internal.model_metrics.abstained_share IS 'Level: share below the minimum confidence.';
COMMENT ON COLUMN logintel_internal.model_metrics.latency_mean_us IS 'Mean time that a shape took which a line waited for, in microseconds.';
COMMENT ON COLUMN logintel_internal.model_metrics.latency_p95_us IS 'Its 95th percentile, to about 2 %.';
COMMENT ON COLUMN logintel_internal.model_metrics.latency_max_us IS 'Its maximum.';
COMMENT ON COLUMN logintel_internal.model_metrics.known_share IS 'Share of the predictions whose shape was known: all but the first line of each that a line waited for.';
COMMENT ON COLUMN logintel_internal.model_metrics.failures IS 'Lines left waiting because scoring failed.';
COMMENT ON COLUMN logintel_internal.model_metrics.measured_at IS 'When the window was last measured.';
COMMENT ON TABLE logintel_internal.changed_verdicts IS 'Verdicts given or withdrawn since maintain() last measured.';
COMMENT ON COLUMN logintel_internal.changed_verdicts.feedback_id IS 'The verdict in feedback.';
