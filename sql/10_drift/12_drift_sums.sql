-- What drift is measured from: sums to which each change of the counts is added, of versions that have a baseline. Services
-- that a baseline does not measure by themselves share one sum. None of this is dumped: where a dump is restored, all
-- lines are counted afresh and added again.
INSERT INTO logintel_internal.count_readers (reader) VALUES ('drift');

CREATE TABLE logintel_internal.drift_days (
    day date NOT NULL,
    changed boolean NOT NULL DEFAULT true,
    measured_at timestamptz,
    measured_lines double precision,
    CONSTRAINT drift_days_pkey PRIMARY KEY (day)
);

CREATE TABLE logintel_internal.drift_sums (
    day date NOT NULL,
    measure text NOT NULL,
    model_id integer NOT NULL,
    service text,
    bin text NOT NULL,
    lines double precision NOT NULL,
    news double precision NOT NULL,
    CONSTRAINT drift_sums_key UNIQUE NULLS NOT DISTINCT (day, measure, model_id, service, bin)
) WITH (fillfactor = 70);

-- What is new may be without end: each list keeps the hundred names with most lines, and shows ten.
CREATE TABLE logintel_internal.drift_news (
    day date NOT NULL,
    measure text NOT NULL,
    model_id integer NOT NULL,
    service text,
    name text NOT NULL,
    lines double precision NOT NULL,
    news double precision NOT NULL,
    CONSTRAINT drift_news_key UNIQUE NULLS NOT DISTINCT (day, measure, model_id, service, name)
) WITH (fillfactor = 70);

COMMENT ON TABLE logintel_internal.drift_days IS 'Days that have had lines of a version with a baseline, and whether drift is to be measured on them.';
COMMENT ON COLUMN logintel_internal.drift_days.day IS 'The day, UTC.';
COMMENT ON COLUMN logintel_internal.drift_days.changed IS 'Whether its sums changed since.';
COMMENT ON COLUMN logintel_internal.drift_days.measured_at IS 'When drift was last measured on it; null before.';
COMMENT ON COLUMN logintel_internal.drift_days.measured_lines IS 'How many lines it had then.';
COMMENT ON TABLE logintel_internal.drift_sums IS 'Lines of each day by what versions with a baseline said of them.';
COMMENT ON COLUMN logintel_internal.drift_sums.day IS 'The day, UTC, by the time of the lines.';
COMMENT ON COLUMN logintel_internal.drift_sums.measure IS 'As in drift, or hours: lines by hour of the day.';
COMMENT ON COLUMN logintel_internal.drift_sums.model_id IS 'The model version.';
COMMENT ON COLUMN logintel_internal.drift_sums.service IS 'The service, where its baseline measures it by itself; null for all others, and for what is measured of all lines only.';
COMMENT ON COLUMN logintel_internal.drift_sums.bin IS 'The class, the bin of confidence, the service or the hour; empty for what is new.';
COMMENT ON COLUMN logintel_internal.drift_sums.lines IS 'Number of lines.';
COMMENT ON COLUMN logintel_internal.drift_sums.news IS 'How many of them are new, or the sum of the shares of new words in them.';
COMMENT ON TABLE logintel_internal.drift_news IS 'The most frequent news of each day: templates and services that the training lines did not have.';
COMMENT ON COLUMN logintel_internal.drift_news.day IS 'The day, UTC, by the time of the lines.';
COMMENT ON COLUMN logintel_internal.drift_news.measure IS 'new_templates, unknown_words or new_services.';
COMMENT ON COLUMN logintel_internal.drift_news.model_id IS 'The model version.';
COMMENT ON COLUMN logintel_internal.drift_news.service IS 'As in drift_sums.';
COMMENT ON COLUMN logintel_internal.drift_news.name IS 'The template, its first 200 characters, or the service.';
COMMENT ON COLUMN logintel_internal.drift_news.lines IS 'Lines that have it: at least so many where a day has more than a hundred such names.';
COMMENT ON COLUMN logintel_internal.drift_news.news IS 'As in drift_sums.';
