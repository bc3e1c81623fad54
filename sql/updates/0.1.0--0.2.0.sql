-- What 0.2.0 changes in the tables of 0.1.0. Make appends all functions, triggers and views, which replace the old ones.

-- 03_models: one row says what serves lines
CREATE TABLE logintel.serving (
    id integer GENERATED ALWAYS AS IDENTITY,
    model_set_id integer NOT NULL,
    test_id integer,
    share double precision,
    challenger_set_id integer,
    shadow_set_ids integer[] NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT serving_pkey PRIMARY KEY (id),
    CONSTRAINT serving_split_check CHECK (num_nulls(test_id, share, challenger_set_id) IN (0, 3)),
    CONSTRAINT serving_share_check CHECK (share > 0 AND share < 1),
    CONSTRAINT serving_model_set_id_fkey FOREIGN KEY (model_set_id) REFERENCES logintel.model_sets (id),
    CONSTRAINT serving_challenger_set_id_fkey FOREIGN KEY (challenger_set_id) REFERENCES logintel.model_sets (id)
);

SELECT pg_catalog.pg_extension_config_dump('logintel.serving', '');
SELECT pg_catalog.pg_extension_config_dump('logintel.serving_id_seq', '');

COMMENT ON TABLE logintel.serving IS 'What scores lines, and what did before; the row with the highest id is in force.';
COMMENT ON COLUMN logintel.serving.id IS 'Order of the rows.';
COMMENT ON COLUMN logintel.serving.model_set_id IS 'The model set in force.';
COMMENT ON COLUMN logintel.serving.test_id IS 'The test that splits the lines, which decides with the key of a line who serves it; null without one.';
COMMENT ON COLUMN logintel.serving.share IS 'Share of the lines that the challenger of this test serves.';
COMMENT ON COLUMN logintel.serving.challenger_set_id IS 'The set that serves this share.';
COMMENT ON COLUMN logintel.serving.shadow_set_ids IS 'Sets that score the same shapes beside the set in force and serve no line.';
COMMENT ON COLUMN logintel.serving.since IS 'Since when.';

INSERT INTO logintel.serving (model_set_id, test_id, share, challenger_set_id, shadow_set_ids)
SELECT d.model_set_id, split.id, split.share, split.challenger_set_id,
       ARRAY(SELECT t.challenger_set_id FROM logintel.ab_tests t WHERE t.ended_at IS NULL AND t.share = 0 ORDER BY t.id)
FROM (SELECT h.model_set_id FROM logintel.deployments h ORDER BY h.id DESC LIMIT 1) AS d
LEFT JOIN logintel.ab_tests split ON split.ended_at IS NULL AND split.share > 0;
DROP TRIGGER rewrite_trigger_functions ON logintel.deployments;
DROP TRIGGER rewrite_trigger_functions ON logintel.ab_tests;
DROP TRIGGER rewrite_trigger_functions_after_delete ON logintel.ab_tests;
DROP FUNCTION logintel._serving();
DROP FUNCTION logintel._follow_deployment(integer);
COMMENT ON TABLE logintel.deployments IS 'Every deployment and rollback; what scores lines is in serving.';

CREATE TABLE logintel.locks (
    name text NOT NULL,
    CONSTRAINT locks_pkey PRIMARY KEY (name)
);
INSERT INTO logintel.locks (name) VALUES ('deployments'), ('publishing');

COMMENT ON TABLE logintel.locks IS 'Locks by name; see _lock_deployments() and _lock_publishing().';
COMMENT ON COLUMN logintel.locks.name IS 'What the lock guards.';

-- 05_scoring: the triggers of the log table go on calling the functions that are renamed here
CREATE INDEX shape_scores_unpublished_idx ON logintel.shape_scores (id) WHERE NOT canonical AND evicted_txid IS NULL;
COMMENT ON COLUMN logintel.shape_scores.canonical IS 'True for the one row of a shape that look-ups use first; false for rows appended since the last upkeep.';
COMMENT ON COLUMN logintel.shape_scores.labels IS 'All categories that apply: the likeliest, and every other with a probability of 0.25 or more.';

CREATE TYPE logintel._line AS (
    id bigint,
    "timestamp" timestamptz,
    shape_hash bigint,
    shape logintel.shape
);

COMMENT ON TYPE logintel._line IS 'A line to be scored: its key, its time, and its shape.';

ALTER FUNCTION logintel.score_new_lines() RENAME TO _score_new_lines;
ALTER FUNCTION logintel.score_changed_lines() RENAME TO _score_changed_lines;
ALTER FUNCTION logintel.forget_deleted_lines() RENAME TO _forget_deleted_lines;
ALTER FUNCTION logintel.forget_truncated_lines() RENAME TO _forget_truncated_lines;
DROP FUNCTION logintel._scoring_body(text, text, text, text, text, integer, logintel.ab_tests);
DROP FUNCTION logintel._promote_scores();
