-- What is looked up, in the order in which it is evicted: shapes that more than one line had stay longest, then those
-- used last. An index keeps the order, and a row for each model set the number, so that an eviction costs what it
-- evicts. None of this is dumped: what a restore loads into scores is noted as published.
CREATE TABLE logintel_internal.known_scores (
    score_id bigint NOT NULL,
    model_set_id integer NOT NULL,
    repeated boolean NOT NULL,
    used_at timestamptz NOT NULL,
    CONSTRAINT known_scores_pkey PRIMARY KEY (score_id)
);
CREATE INDEX known_scores_least_used_idx ON logintel_internal.known_scores (model_set_id, repeated, used_at, score_id);

CREATE TABLE logintel_internal.known_counts (
    model_set_id integer NOT NULL,
    scores bigint NOT NULL,
    CONSTRAINT known_counts_pkey PRIMARY KEY (model_set_id)
);

-- Appended by who publishes, who may be a deployment, so that neither waits for the other.
CREATE TABLE logintel_internal.published_scores (
    score_id bigint NOT NULL
);

CREATE TABLE logintel_internal.unused_scores (
    id bigint GENERATED ALWAYS AS IDENTITY,
    score_id bigint NOT NULL,
    evicted_txid bigint NOT NULL,
    CONSTRAINT unused_scores_pkey PRIMARY KEY (id)
);

CREATE TABLE logintel_internal.lineless_scores (
    score_id bigint NOT NULL
);

COMMENT ON TABLE logintel_internal.known_scores IS 'Canonical scores that are looked up, with what decides which is evicted first.';
COMMENT ON COLUMN logintel_internal.known_scores.score_id IS 'The score in scores.';
COMMENT ON COLUMN logintel_internal.known_scores.model_set_id IS 'Its model set.';
COMMENT ON COLUMN logintel_internal.known_scores.repeated IS 'Whether more than one line has it.';
COMMENT ON COLUMN logintel_internal.known_scores.used_at IS 'When a new line last had it, as far as counted, within ten minutes; when it was made, before.';
COMMENT ON TABLE logintel_internal.known_counts IS 'How many known scores each model set has.';
COMMENT ON COLUMN logintel_internal.known_counts.model_set_id IS 'The model set.';
COMMENT ON COLUMN logintel_internal.known_counts.scores IS 'Its rows in known_scores.';
COMMENT ON TABLE logintel_internal.published_scores IS 'Scores made canonical that known_scores does not have yet.';
COMMENT ON COLUMN logintel_internal.published_scores.score_id IS 'The score in scores.';
COMMENT ON TABLE logintel_internal.lineless_scores IS 'Scores that lost their last line: their shapes are to be evicted, unless another line has them by then.';
COMMENT ON COLUMN logintel_internal.lineless_scores.score_id IS 'The score in scores.';
COMMENT ON TABLE logintel_internal.unused_scores IS 'Evicted scores that no line had when they were noted: to be removed when nobody can use them any more.';
COMMENT ON COLUMN logintel_internal.unused_scores.id IS 'Order in which they are looked at.';
COMMENT ON COLUMN logintel_internal.unused_scores.score_id IS 'The score in scores.';
COMMENT ON COLUMN logintel_internal.unused_scores.evicted_txid IS 'Transaction that evicted it.';

INSERT INTO logintel_internal.count_readers (reader) VALUES ('known shapes');
