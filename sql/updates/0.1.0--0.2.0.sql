-- What 0.2.0 changes in the tables of 0.1.0. Make appends all functions, triggers and views, which replace the old ones.

-- 06_counts: hours of rare scores
ALTER TABLE logintel.hourly_counts ADD COLUMN first_at timestamptz NOT NULL DEFAULT '-infinity',
                                   ADD COLUMN last_at timestamptz NOT NULL DEFAULT 'infinity';
COMMENT ON COLUMN logintel.hourly_counts.first_at IS 'None of them is earlier: a reader of a rare score need not go through the whole hour.';
COMMENT ON COLUMN logintel.hourly_counts.last_at IS 'None of them is later.';

-- 03_models, 06_counts: views that others tell as well. ml_status read one of them; it is replaced below, and dropping it
-- would take away what was granted on it.
CREATE OR REPLACE VIEW logintel.ml_status AS
SELECT NULL::boolean AS active, NULL::text AS mode, NULL::regclass AS log_table, NULL::text AS models, NULL::integer AS level_version,
       NULL::double precision AS level_accuracy, NULL::double precision AS level_macro_f1, NULL::integer AS category_version,
       NULL::double precision AS category_accuracy, NULL::integer AS anomaly_version, NULL::double precision AS anomaly_accuracy,
       NULL::timestamptz AS trained_at, NULL::bigint AS samples, NULL::bigint AS lines, NULL::bigint AS predictions,
       NULL::bigint AS pending, NULL::double precision AS coverage, NULL::timestamptz AS latest_prediction;
DROP VIEW logintel.ml_deployed_models, logintel.ml_stats_by_severity;

-- 07_feedback
DROP VIEW logintel.line_verdicts, logintel.score_verdicts, logintel.ab_evidence, logintel.ab_answers;
DROP FUNCTION logintel._hours_of_verdicts(bigint[]);

-- 08_ab_tests
INSERT INTO logintel.count_readers (reader) VALUES ('ab_tests'), ('ab_shapes');
DROP FUNCTION
    logintel._judge(boolean, integer, double precision, integer, bigint, bigint, bigint, bigint, bigint, bigint),
    logintel._ab_judgement(integer), logintel._look(logintel.ab_tests), logintel._figures(logintel.ab_tests, record),
    logintel._look_significance(double precision, integer), logintel._default_sample(double precision),
    logintel._decide_ab_tests(), logintel._score_for_ab_tests(), logintel._follow_deployment(integer),
    logintel.mcnemar(bigint, bigint), logintel.two_proportions(bigint, bigint, bigint, bigint);
