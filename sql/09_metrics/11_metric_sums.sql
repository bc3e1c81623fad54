-- What model_metrics is computed from: sums to which each change of the counts is added, so a window costs no more when it
-- has more shapes. None of this is dumped: where a dump is restored, all lines are counted afresh and added again.
INSERT INTO logintel_internal.count_readers (reader) VALUES ('metrics');

-- A line that is taken off has to be taken off the sum that it was added to. So an hour keeps the settings under which
-- its first lines were added.
CREATE TABLE logintel_internal.metric_hours (
    hour timestamptz NOT NULL,
    anomaly_threshold real NOT NULL,
    min_confidence real NOT NULL,
    CONSTRAINT metric_hours_pkey PRIMARY KEY (hour)
);

CREATE TABLE logintel_internal.metric_sums (
    hour timestamptz NOT NULL,
    model_set_id integer NOT NULL,
    abstained boolean,
    declared_right boolean,
    bin double precision,
    lines bigint NOT NULL,
    learned bigint NOT NULL,
    level double precision NOT NULL,
    category double precision NOT NULL,
    anomaly double precision NOT NULL,
    CONSTRAINT metric_sums_key UNIQUE NULLS NOT DISTINCT (hour, model_set_id, abstained, declared_right, bin)
) WITH (fillfactor = 70);

-- Sixteen buckets to each doubling: the mean of a bucket is less than 4.5 % from any latency in it.
CREATE TABLE logintel_internal.latency_sums (
    hour timestamptz NOT NULL,
    model_set_id integer NOT NULL,
    bucket integer NOT NULL,
    scores bigint NOT NULL,
    total_us double precision NOT NULL,
    max_us double precision NOT NULL,
    CONSTRAINT latency_sums_pkey PRIMARY KEY (hour, model_set_id, bucket)
) WITH (fillfactor = 70);

-- A verdict on a template speaks for all lines of some scores. They are looked for once, when it is given.
CREATE TABLE logintel_internal.judged_scores (
    score_id bigint NOT NULL,
    CONSTRAINT judged_scores_pkey PRIMARY KEY (score_id)
);

COMMENT ON TABLE logintel_internal.metric_hours IS 'Settings under which the lines of an hour are measured.';
COMMENT ON COLUMN logintel_internal.metric_hours.hour IS 'Start of the hour, UTC, by the time of the lines.';
COMMENT ON COLUMN logintel_internal.metric_hours.anomaly_threshold IS 'The setting of that name when the first lines of the hour were measured.';
COMMENT ON COLUMN logintel_internal.metric_hours.min_confidence IS 'The setting classification_min_confidence then.';
COMMENT ON TABLE logintel_internal.metric_sums IS 'Lines by hour and by what model sets said of them, with sums of the confidences.';
COMMENT ON COLUMN logintel_internal.metric_sums.hour IS 'Start of the hour, UTC, by the time of the lines.';
COMMENT ON COLUMN logintel_internal.metric_sums.model_set_id IS 'The set that scored the lines.';
COMMENT ON COLUMN logintel_internal.metric_sums.abstained IS 'Whether the level is below the minimum confidence; null without a level model.';
COMMENT ON COLUMN logintel_internal.metric_sums.declared_right IS 'Whether the level is the declared one; null where none is declared that is known.';
COMMENT ON COLUMN logintel_internal.metric_sums.bin IS 'Bin of the confidence in the level, 0 to 9.';
COMMENT ON COLUMN logintel_internal.metric_sums.lines IS 'Number of lines.';
COMMENT ON COLUMN logintel_internal.metric_sums.learned IS 'Scores that a line of the hour waited for: counted for the first time then.';
COMMENT ON COLUMN logintel_internal.metric_sums.level IS 'Sum of the confidences in the level.';
COMMENT ON COLUMN logintel_internal.metric_sums.category IS 'Sum of the confidences in the category.';
COMMENT ON COLUMN logintel_internal.metric_sums.anomaly IS 'Sum of the confidences in being an anomaly or none.';
COMMENT ON TABLE logintel_internal.latency_sums IS 'How long scores took that lines waited for, as a histogram of each hour.';
COMMENT ON COLUMN logintel_internal.latency_sums.hour IS 'Start of the hour, UTC, in which the scores were made.';
COMMENT ON COLUMN logintel_internal.latency_sums.model_set_id IS 'The set that made them.';
COMMENT ON COLUMN logintel_internal.latency_sums.bucket IS '16 times the binary logarithm of the microseconds, rounded.';
COMMENT ON COLUMN logintel_internal.latency_sums.scores IS 'Number of scores.';
COMMENT ON COLUMN logintel_internal.latency_sums.total_us IS 'Sum of their microseconds.';
COMMENT ON COLUMN logintel_internal.latency_sums.max_us IS 'The most that one of them took.';
COMMENT ON TABLE logintel_internal.judged_scores IS 'Scores whose template has had a verdict, which may be withdrawn since.';
COMMENT ON COLUMN logintel_internal.judged_scores.score_id IS 'The score.';
