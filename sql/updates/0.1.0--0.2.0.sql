-- What 0.2.0 changes in the tables of 0.1.0. Make appends all functions, triggers and views, which replace the old.

-- What is private leaves the schema that people browse.
-- include 00_core/10_internal.sql
DO $block$
DECLARE
    private record;
BEGIN
    FOR private IN
        SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, c.oid::regclass AS name
        FROM pg_class c
        WHERE c.relnamespace = 'logintel'::regnamespace AND c.relkind IN ('r', 'p', 'v')
          AND c.relname NOT LIKE E'ml\\_%' AND c.relname NOT IN ('settings', 'level_names', 'log_lines')
          AND (NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'logintel')
               OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                                    AND d.deptype = 'e')
               OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid
                                                      AND i.inhparent = 'logintel.predictions'::regclass))
    LOOP
        EXECUTE format('ALTER %s %s SET SCHEMA logintel_internal', private.kind, private.name);
    END LOOP;
END
$block$;

-- One word for one thing, and what is private begins with _; rights and triggers stay as they were.
ALTER TABLE logintel_internal.shape_scores RENAME TO scores;
ALTER SEQUENCE logintel_internal.shape_scores_id_seq RENAME TO scores_id_seq;
ALTER INDEX logintel_internal.shape_scores_pkey RENAME TO scores_pkey;
ALTER INDEX logintel_internal.shape_scores_canonical_key RENAME TO scores_canonical_key;
ALTER INDEX logintel_internal.shape_scores_known_idx RENAME TO scores_known_idx;
ALTER INDEX logintel_internal.shape_scores_rescored_id_idx RENAME TO scores_rescored_id_idx;
ALTER INDEX logintel_internal.shape_scores_scored_at_idx RENAME TO scores_scored_at_idx;
ALTER VIEW logintel_internal.scored_shapes RENAME TO _scored_shapes;  -- it shows hashes; what asks it is replaced, then it goes
ALTER VIEW logintel_internal.score_counts RENAME TO _score_counts;
ALTER VIEW logintel_internal.score_counts_by_hour RENAME TO _score_counts_by_hour;
ALTER FUNCTION logintel.shape(text, text, text, text, integer, double precision) RENAME TO _shape;
ALTER FUNCTION logintel.shape_version() RENAME TO _shape_version;
ALTER FUNCTION logintel.status_class(integer) RENAME TO _status_class;
ALTER FUNCTION logintel.latency_bucket(double precision) RENAME TO _latency_bucket;
ALTER FUNCTION logintel.population_stability_index(double precision[], double precision[])
    RENAME TO _population_stability_index;
ALTER FUNCTION logintel._active_model_set() RENAME TO _set_in_force;
ALTER FUNCTION logintel._learn_shapes(integer, logintel._shapes, boolean, boolean) RENAME TO _score_and_remember;
ALTER VIEW logintel.ml_status RENAME COLUMN active TO scoring;
ALTER FUNCTION logintel.take_pending(integer, timestamptz) RENAME TO _take_pending;
ALTER FUNCTION logintel.unknown_shapes(bigint[]) RENAME TO _unknown_shapes;
ALTER FUNCTION logintel.remember_scores(integer, jsonb, jsonb) RENAME TO _remember_scores;
ALTER FUNCTION logintel.score_taken(bigint[]) RENAME TO _score_taken;
ALTER FUNCTION logintel.begin_retraining(text[], boolean) RENAME TO _begin_retraining;
ALTER FUNCTION logintel.finish_retraining(integer, text, jsonb) RENAME TO _finish_retraining;
COMMENT ON COLUMN logintel_internal.ab_test_counts.score_id IS 'The score in scores that the lines have.';
COMMENT ON COLUMN logintel_internal.hourly_counts.score_id IS 'The score in scores.';
COMMENT ON COLUMN logintel_internal.predictions.score_id IS 'The score in scores.';
COMMENT ON COLUMN logintel_internal.predictions_default.score_id IS 'The score in scores.';
COMMENT ON COLUMN logintel_internal.score_totals.score_id IS 'The score in scores.';
COMMENT ON COLUMN logintel_internal.feedback.shape_hash IS '_shape_hash() of that shape: the verdict on a line is not of another line under the same key.';
COMMENT ON COLUMN logintel_internal.scores.shape_hash IS '_shape_hash() of the shape: how a line finds its score.';
COMMENT ON TYPE logintel._shapes IS 'Shapes of the lines of one log table, in columns, each with its _shape_hash().';
-- Arguments that had to be quoted get other names, which no replacement can give them.
DROP FUNCTION logintel._take_pending(integer, timestamptz), logintel.rescore(integer),
    logintel.drift_lines(text, date, text, text, integer);
-- What is in PL/Python is the extension logintel_python now. The default models come with the scripts.
DROP FUNCTION logintel._score_shapes(integer, logintel._shapes), logintel._check_model(text, bytea, jsonb, jsonb), logintel._check_figures(text, jsonb),
    logintel._python_versions();

-- Hashes of shapes are made with a secret. A database of 0.1.0 keeps its scores and has none: change_shape_seed().
DROP FUNCTION logintel.shape_hash(text, text, text, text, integer, double precision);
DROP FUNCTION logintel._context_hash(text, text, text, integer, double precision);
-- include 01_shapes/13_shape_seed.sql
INSERT INTO logintel_internal.shape_seed (seed) VALUES (0);

-- 00_core
-- include 00_core/10_locks.sql
INSERT INTO logintel_internal.locks (name) VALUES ('deployments'), ('partitions'), ('lines'), ('scores'), ('upkeep');

-- 03_models: one row says what serves lines
-- include 03_models/13_serving.sql

INSERT INTO logintel_internal.serving (model_set_id, test_id, share, challenger_set_id, shadow_set_ids)
SELECT d.model_set_id, split.id, split.share, split.challenger_set_id,
       ARRAY(SELECT t.challenger_set_id FROM logintel_internal.ab_tests t
           WHERE t.ended_at IS NULL AND t.share = 0 ORDER BY t.id)
FROM (SELECT h.model_set_id FROM logintel_internal.deployments h ORDER BY h.id DESC LIMIT 1) AS d
LEFT JOIN logintel_internal.ab_tests split ON split.ended_at IS NULL AND split.share > 0;
DROP TRIGGER rewrite_trigger_functions ON logintel_internal.deployments;
DROP TRIGGER rewrite_trigger_functions ON logintel_internal.ab_tests;
DROP TRIGGER rewrite_trigger_functions_after_delete ON logintel_internal.ab_tests;
DROP FUNCTION logintel._serving();
DROP FUNCTION logintel._follow_deployment(integer);
COMMENT ON TABLE logintel_internal.deployments IS 'Every deployment and rollback; what scores lines is in serving.';

-- No table that a dump holds refers to another one.
ALTER TABLE logintel_internal.deployments DROP CONSTRAINT deployments_model_set_id_fkey,
    DROP CONSTRAINT deployments_model_id_fkey, DROP CONSTRAINT deployments_replaced_model_id_fkey;
ALTER TABLE logintel_internal.ab_tests DROP CONSTRAINT ab_tests_champion_id_fkey,
    DROP CONSTRAINT ab_tests_challenger_id_fkey,
    DROP CONSTRAINT ab_tests_challenger_set_id_fkey;
ALTER TABLE logintel_internal.ab_looks DROP CONSTRAINT ab_looks_test_id_fkey;
ALTER TABLE logintel_internal.ab_test_counts DROP CONSTRAINT ab_test_counts_test_id_fkey;
ALTER TABLE logintel_internal.ab_results DROP CONSTRAINT ab_results_test_id_fkey;
ALTER TABLE logintel_internal.drift DROP CONSTRAINT drift_model_id_fkey;

-- 01_shapes
ALTER TABLE logintel.level_names DROP CONSTRAINT level_names_name_check;
ALTER TABLE logintel.level_names ADD CONSTRAINT level_names_name_check CHECK (name <> '');
COMMENT ON TABLE logintel.level_names IS 'Spellings of log levels and the level each one stands for. Add rows for the spellings of your own sources: they take the place of shipped ones.';
COMMENT ON COLUMN logintel.level_names.name IS 'The spelling, in lower case and without what decorates it.';

-- 02_settings, and the settings of 04_log_table, 06_counts and 11_retraining
ALTER TABLE logintel.settings DISABLE TRIGGER USER;
ALTER TABLE logintel.settings ADD COLUMN pattern text NOT NULL DEFAULT '', ADD COLUMN hint text NOT NULL DEFAULT '';
ALTER TABLE logintel.settings ALTER COLUMN pattern DROP DEFAULT, ALTER COLUMN hint DROP DEFAULT;
COMMENT ON COLUMN logintel.settings.pattern IS 'Regular expression that its values have to match as a whole.';
COMMENT ON COLUMN logintel.settings.hint IS 'Which values it takes, said to who gives another one.';
UPDATE logintel.settings SET name = 'after_retraining' WHERE name = 'promotion';
UPDATE logintel_internal.settings_history SET name = 'after_retraining' WHERE name = 'promotion';
UPDATE logintel.settings s SET pattern = n.pattern, hint = n.hint
FROM (VALUES
    ('mode', 'inline|deferred|off', 'It takes inline, deferred or off.'),
    ('anomaly_threshold', '(0(\.[0-9]{1,6})?|1(\.0{1,6})?)', 'It takes a number from 0 to 1, such as 0.75.'),
    ('classification_min_confidence', '(0(\.[0-9]{1,6})?|1(\.0{1,6})?)', 'It takes a number from 0 to 1, such as 0.75.'),
    ('retention_days', '[0-9]{1,5}', 'It takes a number of days; 0 keeps all.'),
    ('known_shapes', '[1-9][0-9]{2,7}', 'It takes a number from 100 to 99999999.'),
    ('after_retraining', 'test|now|manual', 'It takes test, now or manual.'),
    ('retrain_every_hours', '[0-9]|1[0-9]|2[0-4]', 'It takes a number of hours from 1 to 24, or 0 for never.'))
    AS n (name, pattern, hint)
WHERE s.name = n.name;
ALTER TABLE logintel.settings ENABLE TRIGGER USER;

-- 04_log_table: the log table is read by functions that depend on nothing of it, and kept with the rights of its owner
ALTER TABLE logintel_internal.attachments ADD COLUMN column_numbers jsonb NOT NULL DEFAULT '{}',
                                 ADD COLUMN time_zone text NOT NULL DEFAULT current_setting('TimeZone'),
                                 ADD COLUMN level_scale jsonb NOT NULL DEFAULT '{}',
                                 ADD COLUMN paths jsonb NOT NULL DEFAULT '{}',
                                 ADD COLUMN id integer GENERATED ALWAYS AS IDENTITY (MINVALUE 0 START WITH 0),
                                 ADD CONSTRAINT attachments_id_key UNIQUE (id);
DROP INDEX logintel_internal.attachments_one_key;
SELECT pg_catalog.pg_extension_config_dump('logintel_internal.attachments_id_seq', '');
COMMENT ON TABLE logintel_internal.attachments IS 'The attached log tables. Written by attach() and detach().';
COMMENT ON COLUMN logintel_internal.attachments.id IS 'Number of the attachment, which no other one gets.';
-- What was attached before keeps the zone that its times were read in.
ALTER TABLE logintel_internal.attachments ALTER COLUMN time_zone SET DEFAULT 'UTC';
COMMENT ON COLUMN logintel_internal.attachments.column_numbers IS 'The numbers of these columns in the table (pg_attribute.attnum), by which the upkeep finds one that was renamed.';
COMMENT ON COLUMN logintel_internal.attachments.time_zone IS 'The zone of times without one, whoever writes or reads them.';
COMMENT ON COLUMN logintel_internal.attachments.level_scale IS 'Which level a number stands for in its column of levels: {"30": "WARN", ...}; empty where level_names tells.';
COMMENT ON COLUMN logintel_internal.attachments.paths IS 'Where in a column of type json or jsonb a field stands: {"field": [["key", "key below"], ...], ...}, the first path that leads to something; without one, all of it.';
DROP FUNCTION logintel.attach(regclass, jsonb, boolean), logintel.detach(), logintel._log_table_oids();
-- include 04_log_table/11_log_lines.sql
-- include 04_log_table/14_made_partitions.sql
SELECT set_config('logintel.notes_partitions', 'yes', true);

-- 05_scoring, its lines, predictions and upkeep
-- The table that was attached is the first, whose scores keep their keys and shapes their hashes.
ALTER TABLE logintel_internal.pending ADD COLUMN "timestamp" timestamptz,
    ADD COLUMN changed boolean NOT NULL DEFAULT false,
                             ADD COLUMN attachment_id integer NOT NULL DEFAULT 0;
ALTER TABLE logintel_internal.pending ALTER COLUMN attachment_id DROP DEFAULT;
DROP INDEX logintel_internal.pending_log_entry_id_idx;
CREATE INDEX pending_attachment_id_log_entry_id_idx ON logintel_internal.pending (attachment_id, log_entry_id);
COMMENT ON COLUMN logintel_internal.pending.attachment_id IS 'The attachment of its log table.';
ALTER TYPE logintel._shapes ADD ATTRIBUTE attachment_id integer;
COMMENT ON COLUMN logintel_internal.predictions.log_entry_id IS 'Key of the line in its log table, which is that of the score.';
COMMENT ON COLUMN logintel_internal.predictions_default.log_entry_id IS 'Key of the line in its log table, which is that of the score.';
COMMENT ON COLUMN logintel_internal.scores.id IS 'Identifies the score; predictions point to it. Its upper bits are the attachment''s number: _attachment_of().';
ALTER TABLE logintel_internal.pending ALTER COLUMN queued_at SET DEFAULT clock_timestamp();
CREATE INDEX pending_changed_idx ON logintel_internal.pending (log_entry_id, "timestamp") WHERE changed;
COMMENT ON TABLE logintel_internal.pending IS 'Lines that wait for a prediction. backfill() and the worker take them.';
COMMENT ON COLUMN logintel_internal.pending.id IS 'Order in which they were queued.';
COMMENT ON COLUMN logintel_internal.pending.log_entry_id IS 'Key of the line.';
COMMENT ON COLUMN logintel_internal.pending.queued_at IS 'When it was queued.';
COMMENT ON COLUMN logintel_internal.pending."timestamp" IS 'Time of the line, null where it has none: two lines of one key differ in it.';
COMMENT ON COLUMN logintel_internal.pending.changed IS 'Whether the line was changed or deleted before it was known, or while somebody else had it in hand.';
DROP FUNCTION logintel.backfill(timestamptz, integer), logintel.predict_log(bigint);
DROP FUNCTION logintel._unknown_shapes(bigint[]), logintel._score_taken(bigint[]), logintel._score_lines(bigint[]),
    logintel._remove_predictions(bigint[]);
DROP FUNCTION logintel._forget_all_lines();
DROP FUNCTION logintel._append_scores(integer, logintel._shapes, logintel._scores, boolean, boolean);
-- include 05_scoring/16_truncations.sql
-- What is asked of views by time is found by that of the lines; for when they were scored, BRIN does.
DO $block$
DECLARE
    day record;
    old regclass;
BEGIN
    FOR day IN SELECT c.oid, c.oid::regclass AS name, c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'logintel_internal.predictions'::regclass LOOP
        FOR old IN SELECT i.indexrelid FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                   JOIN pg_am m ON m.oid = x.relam
                   WHERE i.indrelid = day.oid AND (m.amname = 'brin' OR pg_get_indexdef(i.indexrelid, 1, true) = 'predicted_at') LOOP
            EXECUTE format('DROP INDEX %s', old);
        END LOOP;
        EXECUTE format('CREATE INDEX %I ON %s ("timestamp")', day.relname || '_timestamp_idx', day.name);
        EXECUTE format('CREATE INDEX %I ON %s USING brin (txid, "timestamp", predicted_at) WITH (pages_per_range = 16)',
                       day.relname || '_txid_timestamp_predicted_at_idx', day.name);
    END LOOP;
END
$block$;

-- 06_counts
-- include 06_counts/11_count_changes.sql

-- include 06_counts/12_known_scores.sql
-- include 06_counts/14_latest_predictions.sql
ALTER TABLE logintel_internal.score_totals DROP COLUMN last_used_at;
ALTER TABLE logintel_internal.rollup_state ADD COLUMN evicted_before bigint, ADD COLUMN users_before bigint;
COMMENT ON COLUMN logintel_internal.rollup_state.evicted_before IS 'Nobody looks up scores any more that transactions below this id evicted; see _task_063_remove_unused_scores().';
COMMENT ON COLUMN logintel_internal.rollup_state.users_before IS 'Who ever did has an id below this.';
-- As the trigger notes them from now on.
INSERT INTO logintel_internal.published_scores (score_id) SELECT s.id FROM logintel_internal.scores s WHERE s.canonical;
INSERT INTO logintel_internal.unused_scores (score_id, evicted_txid)
SELECT s.id, s.evicted_txid FROM logintel_internal.scores s WHERE s.evicted_txid IS NOT NULL
    AND NOT EXISTS (SELECT FROM logintel_internal.score_totals t WHERE t.score_id = s.id AND t.lines > 0);

-- 07_suspects
-- include 07_suspects/10_template_opinions.sql

-- include 07_suspects/11_suspects.sql

DROP FUNCTION logintel._evict_ended_challengers(), logintel._remove_unused_scores(txid_snapshot);

-- 12_upkeep
CREATE TABLE logintel_internal.upkeep_tasks (
    task text NOT NULL,
    run_began_at timestamptz NOT NULL,
    ran_at timestamptz,
    seconds double precision,
    done bigint,
    failure text,
    next_step text,
    failing_since timestamptz,
    begun_at timestamptz,
    begun_by integer,
    begun_in timestamptz,
    has_more boolean NOT NULL DEFAULT false,
    CONSTRAINT upkeep_tasks_pkey PRIMARY KEY (task)
);

COMMENT ON TABLE logintel_internal.upkeep_tasks IS 'The last run of each task of the upkeep. Read the view ml_upkeep instead.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.task IS 'The task''s function.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.run_began_at IS 'When the maintain() began that ran it last: the tasks of the oldest come first in the next one.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.ran_at IS 'When it ran last; null when it never ended.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.seconds IS 'How long that took.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.done IS 'How many things it did; null when it failed.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.failure IS 'SQLSTATE and message of the error that it failed with; null when it did not.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.next_step IS 'What to do about the failure.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.failing_since IS 'When it failed first since it last did not.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.has_more IS 'Whether it does its work bit by bit and has more to do: it runs again in the same maintain().';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.begun_at IS 'When it began, if it has not ended since; null when it has.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.begun_by IS 'Process id of the session that began it.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.begun_in IS 'When the statement of that session began: once that is over, so is the task.';
DROP FUNCTION logintel._summarize_indexes(), logintel._check_python(), logintel._check_models(), logintel._check_settings(),
    logintel._check_log_table(), logintel._check_triggers(), logintel._check_lines(), logintel._check_upkeep();
DROP FUNCTION logintel._partitioned_tables(), logintel._create_partition(regclass, text, date), logintel._create_day(date),
    logintel._drop_day(date), logintel._expired_days(), logintel._apply_retention(),
    logintel._line_expression(regclass, jsonb, text), logintel._line_fields(),
    logintel._check_columns(regclass, jsonb);
DO $block$
BEGIN
    -- Only the table of the extension pg_cron: anybody may have made a schema of that name.
    IF EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pg_cron'
               WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
                 AND d.classid = 'pg_class'::regclass AND d.objid = to_regclass('cron.job')) THEN
        UPDATE cron.job SET command = 'CALL logintel.maintain(''45 s'')' WHERE command = 'SELECT logintel.maintain()';
        UPDATE cron.job SET command = 'SELECT logintel.backfill(max_lines => 200000)'
        WHERE command = 'SELECT logintel.backfill("limit" => 200000)';
    END IF;
END
$block$;

-- 05_scoring, failures
COMMENT ON TABLE logintel_internal.failures IS 'Inserts whose lines were left waiting because scoring failed, until the upkeep counts them in model_metrics.';

-- 09_metrics
-- What 0.1.0 counted is read as if it had been counted afresh, hour by hour; what was measured stays until its hour is read.
INSERT INTO logintel_internal.count_changes (hour, score_id, lines, is_new, is_recount)
SELECT h.hour, h.score_id, h.lines, row_number() OVER (PARTITION BY h.score_id ORDER BY h.hour) = 1, true
FROM logintel_internal.hourly_counts h ORDER BY h.hour;
DROP TABLE logintel_internal.changed_hours;
ALTER TABLE logintel_internal.model_metrics RENAME COLUMN coverage TO hour_lines;
UPDATE logintel_internal.model_metrics m
SET hour_lines = (SELECT max(n.lines) FROM (SELECT sum(o.predictions)::double precision AS lines FROM logintel_internal.model_metrics o
                                            WHERE o.window_start = m.window_start GROUP BY o.name) AS n);
COMMENT ON COLUMN logintel_internal.model_metrics.hour_lines IS 'Lines of the hour that have a prediction of any version.';
COMMENT ON COLUMN logintel_internal.model_metrics.latency_p95_us IS 'Its 95th percentile, to about 2 %.';
COMMENT ON COLUMN logintel_internal.model_metrics.known_share IS 'Share of the predictions whose shape was known: all but the first line of each that a line waited for.';
DROP FUNCTION logintel._measure_served(timestamptz[]);
DROP FUNCTION logintel._measure(timestamptz[], timestamptz[], bigint[]);
DROP FUNCTION logintel._count_failures();
DROP FUNCTION logintel._take_changed_hours();
DROP FUNCTION logintel._measure_windows();
COMMENT ON COLUMN logintel_internal.ab_tests.metric IS 'What counts as right. feedback: what verdicts given since the start say. declared: a verdict where there is one, else whether the declared level is a problem (WARN and above), save where it is suspected.';

-- What model_metrics is computed from: sums to which each change of the counts is added, so a window costs no more when it
-- has more shapes. None of this is dumped: where a dump is restored, all lines are counted afresh and added again.
-- include 09_metrics/11_metric_sums.sql

-- 10_drift
DROP FUNCTION logintel._judge_day(date);
DROP FUNCTION logintel._judge_drift();
DROP FUNCTION logintel._novelty_model(integer);
DROP FUNCTION logintel._drift_counts(integer, date);
DROP FUNCTION logintel._usual(jsonb, text, text);
DROP FUNCTION logintel._baseline_lines(jsonb, text);
DROP FUNCTION logintel._drift_shifts(integer, date, jsonb);
DROP FUNCTION logintel._drift_news(integer, date, jsonb);
-- What the training lines of a version were like, taken out of its metadata when it is registered or restored, so that a
-- day is compared by joins and nobody reads a large document again. Not dumped: a trigger on models makes the rows.
-- include 10_drift/11_baselines.sql

-- What drift is measured from: sums to which each change of the counts is added, of versions that have a baseline. Services
-- that a baseline does not measure by themselves share one sum. None of this is dumped: where a dump is restored, all
-- lines are counted afresh and added again.
INSERT INTO logintel_internal.count_readers (reader) VALUES ('drift');

ALTER TABLE logintel_internal.drift_days RENAME COLUMN judged_at TO measured_at;
ALTER TABLE logintel_internal.drift_days RENAME COLUMN judged_lines TO measured_lines;
ALTER TABLE logintel_internal.drift_days ALTER COLUMN measured_lines TYPE double precision;
DELETE FROM logintel_internal.drift_days;

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

-- 06_counts: hours of rare scores
ALTER TABLE logintel_internal.hourly_counts ADD COLUMN first_at timestamptz NOT NULL DEFAULT '-infinity',
                                   ADD COLUMN last_at timestamptz NOT NULL DEFAULT 'infinity';
COMMENT ON COLUMN logintel_internal.hourly_counts.first_at IS 'None of them is earlier: a reader of a rare score need not go through the whole hour.';
COMMENT ON COLUMN logintel_internal.hourly_counts.last_at IS 'None of them is later.';

-- 03_models, 06_counts: views that others tell as well. ml_status read one of them; it is replaced below, and dropping it
-- would take away what was granted on it.
CREATE OR REPLACE VIEW logintel.ml_status AS
SELECT NULL::boolean AS scoring, NULL::text AS mode, NULL::regclass AS log_table, NULL::text AS models, NULL::integer AS level_version,
       NULL::double precision AS level_accuracy, NULL::double precision AS level_macro_f1, NULL::integer AS category_version,
       NULL::double precision AS category_accuracy, NULL::integer AS anomaly_version, NULL::double precision AS anomaly_accuracy,
       NULL::timestamptz AS trained_at, NULL::bigint AS samples, NULL::bigint AS lines, NULL::bigint AS predictions,
       NULL::bigint AS pending, NULL::double precision AS coverage, NULL::timestamptz AS latest_prediction;
DROP VIEW logintel.ml_deployed_models, logintel.ml_stats_by_severity;
DROP FUNCTION logintel._count_lines();

-- 07_feedback
ALTER TABLE logintel_internal.feedback ADD COLUMN attachment_id integer NOT NULL DEFAULT 0;
ALTER TABLE logintel_internal.feedback ALTER COLUMN attachment_id DROP DEFAULT;
COMMENT ON COLUMN logintel_internal.feedback.attachment_id IS 'The attachment of the log table in which it was given, which may have ended since.';
DROP FUNCTION logintel.give_feedback(bigint, text, text, boolean, text, boolean), logintel.withdraw_feedback(bigint, boolean);
DROP INDEX logintel_internal.feedback_shape_hash_idx;
CREATE INDEX feedback_shape_hash_idx ON logintel_internal.feedback (shape_hash) WHERE scope = 'line';
DROP VIEW logintel_internal.line_verdicts, logintel_internal.score_verdicts, logintel_internal.ab_evidence, logintel_internal.ab_answers;
DROP FUNCTION logintel._hours_of_verdicts(bigint[]);

-- 08_ab_tests
INSERT INTO logintel_internal.count_readers (reader) VALUES ('ab_tests'), ('ab_shapes');
DROP FUNCTION
    logintel._judge(boolean, integer, double precision, integer, bigint, bigint, bigint, bigint, bigint, bigint),
    logintel._ab_judgement(integer), logintel._look(logintel_internal.ab_tests),
        logintel._figures(logintel_internal.ab_tests, record),
    logintel._look_significance(double precision, integer), logintel._default_sample(double precision),
    logintel._decide_ab_tests(), logintel._score_for_ab_tests(),
    logintel.mcnemar(bigint, bigint), logintel.two_proportions(bigint, bigint, bigint, bigint);

-- 05_scoring: the triggers of the log table go on calling the functions that are renamed here
CREATE INDEX scores_unpublished_idx ON logintel_internal.scores (id) WHERE NOT canonical AND evicted_txid IS NULL;
COMMENT ON COLUMN logintel_internal.scores.canonical IS 'True for the one row of a shape that look-ups use first; false for rows appended since the last upkeep.';
COMMENT ON COLUMN logintel_internal.scores.labels IS 'All categories that apply: the likeliest, and every other with a probability of 0.25 or more.';

CREATE TYPE logintel._line AS (
    id bigint,
    "timestamp" timestamptz,
    shape_hash bigint,
    shape logintel.shape,
    attachment_id integer
);

COMMENT ON TYPE logintel._line IS 'A line to be scored: its key, its time, its shape, and the attachment of its table.';
COMMENT ON COLUMN logintel._line.id IS 'Key of the line.';
COMMENT ON COLUMN logintel._line."timestamp" IS 'Time of the line.';
COMMENT ON COLUMN logintel._line.shape_hash IS 'Its _shape_hash().';
COMMENT ON COLUMN logintel._line.shape IS 'Its shape.';
COMMENT ON COLUMN logintel._line.attachment_id IS 'The attachment of its log table.';

ALTER FUNCTION logintel.score_new_lines() RENAME TO _score_new_lines;
ALTER FUNCTION logintel.score_changed_lines() RENAME TO _score_changed_lines;
ALTER FUNCTION logintel.forget_deleted_lines() RENAME TO _forget_deleted_lines;
ALTER FUNCTION logintel.forget_truncated_lines() RENAME TO _forget_truncated_lines;
DROP FUNCTION logintel._scoring_body(text, text, text, text, text, integer, logintel_internal.ab_tests);
DROP FUNCTION logintel._promote_scores(), logintel._learn_known_shapes(integer, integer, bigint);

-- 03_models: linear models as rows
-- include 03_models/15_linear_models.sql
-- include 03_models/16_layouts.sql
