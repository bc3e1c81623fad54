-- What 0.2.0 changes in the tables of 0.1.0. Make appends all functions, triggers and views, which replace the old.

-- 00_core
CREATE TABLE logintel.locks (
    name text NOT NULL,
    CONSTRAINT locks_pkey PRIMARY KEY (name)
);

COMMENT ON TABLE logintel.locks IS 'Locks, a row each: who updates a row keeps all others out until the end of the transaction.';
COMMENT ON COLUMN logintel.locks.name IS 'What it is the lock of.';
INSERT INTO logintel.locks (name) VALUES ('deployments'), ('partitions'), ('lines'), ('scores'), ('upkeep');

-- 02_settings, and the settings of 04_log_table, 06_counts and 11_retraining
ALTER TABLE logintel.settings DISABLE TRIGGER USER;
ALTER TABLE logintel.settings ADD COLUMN pattern text NOT NULL DEFAULT '', ADD COLUMN hint text NOT NULL DEFAULT '';
ALTER TABLE logintel.settings ALTER COLUMN pattern DROP DEFAULT, ALTER COLUMN hint DROP DEFAULT;
COMMENT ON COLUMN logintel.settings.pattern IS 'Regular expression that its values have to match as a whole.';
COMMENT ON COLUMN logintel.settings.hint IS 'Which values it takes, said to who gives another one.';
UPDATE logintel.settings SET name = 'after_retraining' WHERE name = 'promotion';
UPDATE logintel.settings_history SET name = 'after_retraining' WHERE name = 'promotion';
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

-- 05_scoring, its lines, predictions and upkeep
DROP FUNCTION logintel.backfill(timestamptz, integer);
DROP FUNCTION logintel._forget_all_lines(), logintel._reconcile_if_new();

-- 06_counts
CREATE TABLE logintel.count_changes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    hour timestamptz NOT NULL,
    score_id bigint NOT NULL,
    lines bigint NOT NULL,
    is_new boolean NOT NULL,
    is_recount boolean NOT NULL,
    CONSTRAINT count_changes_pkey PRIMARY KEY (id)
);

COMMENT ON TABLE logintel.count_changes IS 'Changes of the counts since they were last read, by hour of the line and score.';
COMMENT ON COLUMN logintel.count_changes.id IS 'Rows of a later roll-up have larger ids.';
COMMENT ON COLUMN logintel.count_changes.hour IS 'Hour of the lines (UTC).';
COMMENT ON COLUMN logintel.count_changes.score_id IS 'The score that the lines have.';
COMMENT ON COLUMN logintel.count_changes.lines IS 'How many lines more, or less.';
COMMENT ON COLUMN logintel.count_changes.is_new IS 'Whether these are the first lines that were ever counted with the score; in one row of a score at most.';
COMMENT ON COLUMN logintel.count_changes.is_recount IS 'Whether the lines were there before and counted afresh from nothing, as after a restore.';

CREATE TABLE logintel.count_readers (
    reader text NOT NULL,
    read_to bigint NOT NULL DEFAULT 0,
    CONSTRAINT count_readers_pkey PRIMARY KEY (reader)
);

COMMENT ON TABLE logintel.count_readers IS 'Who reads count_changes, and how far. A capability that reads it brings its row.';
COMMENT ON COLUMN logintel.count_readers.reader IS 'Name of the capability.';
COMMENT ON COLUMN logintel.count_readers.read_to IS 'The last id that it has read.';
CREATE TABLE logintel.known_scores (
    score_id bigint NOT NULL,
    model_set_id integer NOT NULL,
    repeated boolean NOT NULL,
    used_at timestamptz NOT NULL,
    CONSTRAINT known_scores_pkey PRIMARY KEY (score_id)
);
CREATE INDEX known_scores_least_used_idx ON logintel.known_scores (model_set_id, repeated, used_at, score_id);

CREATE TABLE logintel.known_counts (
    model_set_id integer NOT NULL,
    scores bigint NOT NULL,
    CONSTRAINT known_counts_pkey PRIMARY KEY (model_set_id)
);

-- Appended by who publishes, who may be a deployment, so that neither waits for the other.
CREATE TABLE logintel.published_scores (
    score_id bigint NOT NULL
);

CREATE TABLE logintel.unused_scores (
    id bigint GENERATED ALWAYS AS IDENTITY,
    score_id bigint NOT NULL,
    evicted_txid bigint NOT NULL,
    CONSTRAINT unused_scores_pkey PRIMARY KEY (id)
);

COMMENT ON TABLE logintel.known_scores IS 'Canonical scores that are looked up, with what decides which is evicted first.';
COMMENT ON COLUMN logintel.known_scores.score_id IS 'The score in shape_scores.';
COMMENT ON COLUMN logintel.known_scores.model_set_id IS 'Its model set.';
COMMENT ON COLUMN logintel.known_scores.repeated IS 'Whether more than one line has it.';
COMMENT ON COLUMN logintel.known_scores.used_at IS 'When a new line last had it, as far as counted, within ten minutes; when it was made, before.';
COMMENT ON TABLE logintel.known_counts IS 'How many known scores each model set has.';
COMMENT ON COLUMN logintel.known_counts.model_set_id IS 'The model set.';
COMMENT ON COLUMN logintel.known_counts.scores IS 'Its rows in known_scores.';
COMMENT ON TABLE logintel.published_scores IS 'Scores made canonical that known_scores does not have yet.';
COMMENT ON COLUMN logintel.published_scores.score_id IS 'The score in shape_scores.';
COMMENT ON TABLE logintel.unused_scores IS 'Evicted scores that no line had when they were noted: to be removed when nobody can use them any more.';
COMMENT ON COLUMN logintel.unused_scores.id IS 'Order in which they are looked at.';
COMMENT ON COLUMN logintel.unused_scores.score_id IS 'The score in shape_scores.';
COMMENT ON COLUMN logintel.unused_scores.evicted_txid IS 'Transaction that evicted it.';

INSERT INTO logintel.count_readers (reader) VALUES ('known shapes');
ALTER TABLE logintel.score_totals DROP COLUMN last_used_at;
ALTER TABLE logintel.rollup_state ADD COLUMN evicted_before bigint, ADD COLUMN users_before bigint;
COMMENT ON COLUMN logintel.rollup_state.evicted_before IS 'Nobody looks up scores any more that transactions below this id evicted; see _task_063_remove_unused_scores().';
COMMENT ON COLUMN logintel.rollup_state.users_before IS 'Who ever did has an id below this.';
-- As the trigger notes them from now on.
INSERT INTO logintel.published_scores (score_id) SELECT s.id FROM logintel.shape_scores s WHERE s.canonical;
INSERT INTO logintel.unused_scores (score_id, evicted_txid)
SELECT s.id, s.evicted_txid FROM logintel.shape_scores s WHERE s.evicted_txid IS NOT NULL
    AND NOT EXISTS (SELECT FROM logintel.score_totals t WHERE t.score_id = s.id AND t.lines > 0);
DROP FUNCTION logintel._evict_ended_challengers(), logintel._remove_unused_scores(txid_snapshot);

-- 12_upkeep
CREATE TABLE logintel.upkeep_tasks (
    task text NOT NULL,
    run_began_at timestamptz NOT NULL,
    ran_at timestamptz NOT NULL,
    seconds double precision NOT NULL,
    done bigint,
    failure text,
    next_step text,
    failing_since timestamptz,
    CONSTRAINT upkeep_tasks_pkey PRIMARY KEY (task)
);

COMMENT ON TABLE logintel.upkeep_tasks IS 'The last run of each task of the upkeep. Read the view ml_upkeep instead.';
COMMENT ON COLUMN logintel.upkeep_tasks.task IS 'The task''s function.';
COMMENT ON COLUMN logintel.upkeep_tasks.run_began_at IS 'When the maintain() began that ran it last: the tasks of the oldest come first in the next one.';
COMMENT ON COLUMN logintel.upkeep_tasks.ran_at IS 'When it ran last.';
COMMENT ON COLUMN logintel.upkeep_tasks.seconds IS 'How long that took.';
COMMENT ON COLUMN logintel.upkeep_tasks.done IS 'How many things it did; null when it failed.';
COMMENT ON COLUMN logintel.upkeep_tasks.failure IS 'SQLSTATE and message of the error that it failed with; null when it did not.';
COMMENT ON COLUMN logintel.upkeep_tasks.next_step IS 'What to do about the failure.';
COMMENT ON COLUMN logintel.upkeep_tasks.failing_since IS 'When it failed first since it last did not.';
DROP FUNCTION logintel._summarize_indexes(), logintel._check_python(), logintel._check_models(), logintel._check_settings(),
    logintel._check_log_table(), logintel._check_triggers(), logintel._check_lines(), logintel._check_upkeep();
DO $block$
BEGIN
    IF to_regclass('cron.job') IS NOT NULL THEN
        UPDATE cron.job SET command = 'CALL logintel.maintain(''45 s'')' WHERE command = 'SELECT logintel.maintain()';
        UPDATE cron.job SET command = 'SELECT logintel.backfill(max_lines => 200000)'
        WHERE command = 'SELECT logintel.backfill("limit" => 200000)';
    END IF;
END
$block$;
