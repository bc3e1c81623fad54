-- What the training lines of a version were like, taken out of its metadata when it is registered or restored, so that a
-- day is compared by joins and nobody reads a large document again. Not dumped: a trigger on models makes the rows.
CREATE TABLE logintel_internal.baselines (
    model_id integer NOT NULL,
    anomaly_threshold real,
    hours double precision[],
    records_news boolean NOT NULL,
    CONSTRAINT baselines_pkey PRIMARY KEY (model_id),
    CONSTRAINT baselines_model_id_fkey FOREIGN KEY (model_id) REFERENCES logintel_internal.models (id)
        ON DELETE CASCADE,
    CONSTRAINT baselines_hours_check CHECK (cardinality(hours) = 24)
);

CREATE TABLE logintel_internal.baseline_measures (
    model_id integer NOT NULL,
    service text,
    measure text NOT NULL,
    lines double precision NOT NULL,
    usual double precision,
    CONSTRAINT baseline_measures_key UNIQUE NULLS NOT DISTINCT (model_id, service, measure),
    CONSTRAINT baseline_measures_model_id_fkey FOREIGN KEY (model_id) REFERENCES logintel_internal.baselines (model_id) ON DELETE CASCADE,
    CONSTRAINT baseline_measures_lines_check CHECK (lines > 0)
);

CREATE TABLE logintel_internal.baseline_shares (
    model_id integer NOT NULL,
    service text,
    measure text NOT NULL,
    bin text NOT NULL,
    share double precision NOT NULL,
    CONSTRAINT baseline_shares_key UNIQUE NULLS NOT DISTINCT (model_id, measure, bin, service),
    CONSTRAINT baseline_shares_model_id_fkey FOREIGN KEY (model_id) REFERENCES logintel_internal.baselines (model_id) ON DELETE CASCADE,
    CONSTRAINT baseline_shares_share_check CHECK (share >= 0)
);

COMMENT ON TABLE logintel_internal.baselines IS 'Model versions whose training lines are known; of an ensemble, those of its first member that has recorded them.';
COMMENT ON COLUMN logintel_internal.baselines.model_id IS 'The model version.';
COMMENT ON COLUMN logintel_internal.baselines.anomaly_threshold IS 'The threshold that its classes were counted under.';
COMMENT ON COLUMN logintel_internal.baselines.hours IS 'Shares of the lines in each hour of the day, UTC; null where they were of less than a day.';
COMMENT ON COLUMN logintel_internal.baselines.records_news IS 'Whether it has the templates and words, so that scores say what is new.';
COMMENT ON TABLE logintel_internal.baseline_measures IS 'What is measured against a baseline: of all lines, and of each service that had enough of them.';
COMMENT ON COLUMN logintel_internal.baseline_measures.model_id IS 'The model version.';
COMMENT ON COLUMN logintel_internal.baseline_measures.service IS 'The service, digits in it as #; null for all lines.';
COMMENT ON COLUMN logintel_internal.baseline_measures.measure IS 'As in drift.';
COMMENT ON COLUMN logintel_internal.baseline_measures.lines IS 'Training lines, of the service where one is named.';
COMMENT ON COLUMN logintel_internal.baseline_measures.usual IS 'The most that the training lines strayed by themselves; null where they were too few to tell.';
COMMENT ON TABLE logintel_internal.baseline_shares IS 'Shares of the training lines in each class, bin of confidence, and service.';
COMMENT ON COLUMN logintel_internal.baseline_shares.model_id IS 'The model version.';
COMMENT ON COLUMN logintel_internal.baseline_shares.service IS 'The service whose lines these are; null for all lines.';
COMMENT ON COLUMN logintel_internal.baseline_shares.measure IS 'classes, confidence or services.';
COMMENT ON COLUMN logintel_internal.baseline_shares.bin IS 'The class, the bin or the service.';
COMMENT ON COLUMN logintel_internal.baseline_shares.share IS 'Share of the lines, 0 to 1.';
