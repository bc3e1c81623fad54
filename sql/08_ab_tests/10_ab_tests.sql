-- A test asks whether a challenger serves better than the champion, the version in force when it began. The rule is fixed
-- at the start: what counts as right, how many templates are needed, and how sure it has to be.
CREATE TABLE logintel_internal.ab_tests (
    id integer GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    champion_id integer NOT NULL,
    challenger_id integer NOT NULL,
    challenger_set_id integer NOT NULL,
    share double precision NOT NULL,
    metric text NOT NULL,
    minimum_sample integer NOT NULL,
    significance double precision NOT NULL,
    auto boolean NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    started_by text NOT NULL DEFAULT session_user,
    why text,
    ended_at timestamptz,
    outcome text,
    reason text,
    CONSTRAINT ab_tests_pkey PRIMARY KEY (id),
    CONSTRAINT ab_tests_share_check CHECK (share >= 0 AND share < 1),
    CONSTRAINT ab_tests_metric_check CHECK (metric = 'feedback' OR (metric = 'declared' AND name = 'level')),
    CONSTRAINT ab_tests_minimum_sample_check CHECK (minimum_sample >= 10),
    CONSTRAINT ab_tests_significance_check CHECK (significance > 0 AND significance <= 0.5),
    CONSTRAINT ab_tests_outcome_check CHECK (outcome IN ('promoted', 'kept', 'undecided', 'stopped')),
    CONSTRAINT ab_tests_ended_check CHECK (num_nonnulls(ended_at, outcome, reason) IN (0, 3))
);
CREATE UNIQUE INDEX ab_tests_running_key ON logintel_internal.ab_tests (name) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX ab_tests_running_split_key ON logintel_internal.ab_tests ((true))
    WHERE ended_at IS NULL AND share > 0;

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.ab_tests', '');
SELECT pg_catalog.pg_extension_config_dump('logintel_internal.ab_tests_id_seq', '');

COMMENT ON TABLE logintel_internal.ab_tests IS 'A/B tests: one that runs for each model at most, and all that ended. Written by start_ab_test(), decide_ab_test() and stop_ab_test().';
COMMENT ON COLUMN logintel_internal.ab_tests.id IS 'Order of the tests; with the key of a line it decides which side of a split test serves the line.';
COMMENT ON COLUMN logintel_internal.ab_tests.name IS 'The model under test.';
COMMENT ON COLUMN logintel_internal.ab_tests.champion_id IS 'The version in force when the test began.';
COMMENT ON COLUMN logintel_internal.ab_tests.challenger_id IS 'The version that might take its place.';
COMMENT ON COLUMN logintel_internal.ab_tests.challenger_set_id IS 'The set in force with the challenger in the place of the champion.';
COMMENT ON COLUMN logintel_internal.ab_tests.share IS 'Share of the lines that the challenger serves; 0 for a shadow test, which serves none.';
COMMENT ON COLUMN logintel_internal.ab_tests.metric IS 'What counts as right. feedback: what verdicts given since the start say. declared: a verdict where there is one, else whether the declared level is a problem (WARN and above), save where it is suspected.';
COMMENT ON COLUMN logintel_internal.ab_tests.minimum_sample IS 'Templates with an outcome at the first look; each further look needs twice as many.';
COMMENT ON COLUMN logintel_internal.ab_tests.significance IS 'Bound on the probability that a challenger as good as the champion is taken for better or worse, over all looks together.';
COMMENT ON COLUMN logintel_internal.ab_tests.auto IS 'Whether maintain() looks and decides; else decide_ab_test() alone does.';
COMMENT ON COLUMN logintel_internal.ab_tests.started_at IS 'When it began.';
COMMENT ON COLUMN logintel_internal.ab_tests.started_by IS 'By which role.';
COMMENT ON COLUMN logintel_internal.ab_tests.why IS 'Why, in the words of whoever began it; null where nothing was said.';
COMMENT ON COLUMN logintel_internal.ab_tests.ended_at IS 'When it ended; null while it runs.';
COMMENT ON COLUMN logintel_internal.ab_tests.outcome IS 'promoted: the challenger is better and took over. kept: it is worse. undecided: the last look showed no difference, the champion stays. stopped: ended before.';
COMMENT ON COLUMN logintel_internal.ab_tests.reason IS 'Why it ended so, with the figures, in one line.';

-- Looking repeatedly is paid for: each look spends its part of the significance, whether it decides or not.
CREATE TABLE logintel_internal.ab_looks (
    test_id integer NOT NULL,
    look integer NOT NULL,
    sample bigint NOT NULL,
    statistic double precision NOT NULL,
    p_value double precision NOT NULL,
    significance double precision NOT NULL,
    looked_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ab_looks_pkey PRIMARY KEY (test_id, look)
);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.ab_looks', '');

COMMENT ON TABLE logintel_internal.ab_looks IS 'Each look at an A/B test that might have decided it.';
COMMENT ON COLUMN logintel_internal.ab_looks.test_id IS 'The test.';
COMMENT ON COLUMN logintel_internal.ab_looks.look IS 'Which look, from 1 to 5. One that the sample had jumped over was never made.';
COMMENT ON COLUMN logintel_internal.ab_looks.sample IS 'Templates with an outcome: of both sides alike in a shadow test, of the smaller side in a split test.';
COMMENT ON COLUMN logintel_internal.ab_looks.statistic IS 'Standard errors by which the challenger is ahead; negative where it is behind.';
COMMENT ON COLUMN logintel_internal.ab_looks.p_value IS 'Probability of such a difference, or a larger one, between equals.';
COMMENT ON COLUMN logintel_internal.ab_looks.significance IS 'What the look spent: it decides where the p-value is not above.';
COMMENT ON COLUMN logintel_internal.ab_looks.looked_at IS 'When.';

-- Summed up from count_changes while the test runs, and emptied when its results are written. One reader counts the lines,
-- the other finds new shapes for the challengers, which takes longer.
INSERT INTO logintel_internal.count_readers (reader) VALUES ('ab_tests'), ('ab_shapes');

CREATE TABLE logintel_internal.ab_test_counts (
    test_id integer NOT NULL,
    score_id bigint NOT NULL,
    lines bigint NOT NULL,
    CONSTRAINT ab_test_counts_pkey PRIMARY KEY (test_id, score_id)
) WITH (fillfactor = 70);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.ab_test_counts', '');

COMMENT ON TABLE logintel_internal.ab_test_counts IS 'Lines by score that were counted while a test runs. Lines deleted since stay counted: they are evidence.';
COMMENT ON COLUMN logintel_internal.ab_test_counts.test_id IS 'The running test.';
COMMENT ON COLUMN logintel_internal.ab_test_counts.score_id IS 'The score in scores that the lines have.';
COMMENT ON COLUMN logintel_internal.ab_test_counts.lines IS 'How many lines.';

-- What a test ended with. It is kept because verdicts change, and lines and scores go.
CREATE TABLE logintel_internal.ab_results (
    test_id integer NOT NULL,
    side text NOT NULL,
    lines bigint NOT NULL,
    lines_compared bigint NOT NULL,
    lines_alike bigint NOT NULL,
    templates_feedback bigint NOT NULL,
    right_feedback bigint NOT NULL,
    templates_declared bigint NOT NULL,
    right_declared bigint NOT NULL,
    confidence double precision,
    latency_us double precision,
    sample bigint NOT NULL,
    only_right bigint,
    difference double precision,
    lower double precision,
    upper double precision,
    p_value double precision,
    CONSTRAINT ab_results_pkey PRIMARY KEY (test_id, side),
    CONSTRAINT ab_results_side_check CHECK (side IN ('champion', 'challenger'))
);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.ab_results', '');

COMMENT ON TABLE logintel_internal.ab_results IS 'Results of A/B tests that ended, two rows a test. Read the view ml_ab_results instead, which says what the columns mean.';
COMMENT ON COLUMN logintel_internal.ab_results.test_id IS 'The test.';
COMMENT ON COLUMN logintel_internal.ab_results.side IS 'champion or challenger.';
COMMENT ON COLUMN logintel_internal.ab_results.lines IS 'Lines that this side scored.';
COMMENT ON COLUMN logintel_internal.ab_results.lines_compared IS 'Lines that both sides scored.';
COMMENT ON COLUMN logintel_internal.ab_results.lines_alike IS 'Lines of which both sides said the same.';
COMMENT ON COLUMN logintel_internal.ab_results.templates_feedback IS 'Templates that verdicts given since the start speak of.';
COMMENT ON COLUMN logintel_internal.ab_results.right_feedback IS 'Those of them that this side had right.';
COMMENT ON COLUMN logintel_internal.ab_results.templates_declared IS 'Templates with a declared level or a verdict.';
COMMENT ON COLUMN logintel_internal.ab_results.right_declared IS 'Those of them that this side had right.';
COMMENT ON COLUMN logintel_internal.ab_results.confidence IS 'Mean confidence, over the lines.';
COMMENT ON COLUMN logintel_internal.ab_results.latency_us IS 'Mean time that a score took, over the shapes.';
COMMENT ON COLUMN logintel_internal.ab_results.sample IS 'Templates with an outcome by the metric of the test.';
COMMENT ON COLUMN logintel_internal.ab_results.only_right IS 'Templates that this side alone had right; null in a split test.';
COMMENT ON COLUMN logintel_internal.ab_results.difference IS 'Share right of the challenger less that of the champion.';
COMMENT ON COLUMN logintel_internal.ab_results.lower IS 'Lower end of its 95% interval.';
COMMENT ON COLUMN logintel_internal.ab_results.upper IS 'Upper end of it.';
COMMENT ON COLUMN logintel_internal.ab_results.p_value IS 'Probability of such a difference between equals.';
