-- What each model set says of each shape. What it said never changes, and a prediction points to the one it was made
-- from. rescore() lets a score be read as another set's of the same shape: history follows a new model by shapes, not by
-- lines.
--
-- Two sessions may learn the same shape at once. A unique index on the shape would make one wait for the other's
-- commit, so a session appends without any: duplicates say the same and do no harm. Upkeep then makes one row of each shape
-- canonical and evicts the others. Writers look for the canonical row in an index that only upkeep and deployments write.
--
-- A score is of the lines of one log table: its hash is made with a seed of that table's own, and its key begins with the
-- number of the attachment. So what is counted by scores is counted by tables, and a prediction, which is the narrowest row
-- there is, tells by its score which table its line is in.
--
-- A source of free text would grow the look-up without bound. Beyond the setting known_shapes, maintain() evicts the least
-- used shapes: they are no longer looked up, keep what their predictions show, and go when no prediction needs them.
CREATE TABLE logintel_internal.scores (
    id bigint GENERATED ALWAYS AS IDENTITY,
    model_set_id integer NOT NULL,
    shape_hash bigint NOT NULL,
    canonical boolean NOT NULL DEFAULT false,
    template text NOT NULL,
    service text NOT NULL,
    source_type text NOT NULL,
    level text NOT NULL,
    status_class text NOT NULL,
    latency_bucket text NOT NULL,
    predicted_level text,
    level_confidence real,
    level_probabilities real[],
    category text,
    category_confidence real,
    labels text[],
    anomaly_score real,
    anomaly_type text,
    unknown_words real,
    is_new_template boolean,
    latency_us real NOT NULL,
    at_write boolean NOT NULL,
    scored_at timestamptz NOT NULL DEFAULT now(),
    rescored_id bigint,
    evicted_txid bigint,
    CONSTRAINT scores_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX scores_canonical_key ON logintel_internal.scores (model_set_id, shape_hash) INCLUDE (id)
    WHERE canonical;
CREATE INDEX scores_known_idx ON logintel_internal.scores (model_set_id, shape_hash) WHERE evicted_txid IS NULL;
CREATE INDEX scores_unpublished_idx ON logintel_internal.scores (id) WHERE NOT canonical AND evicted_txid IS NULL;
CREATE INDEX scores_rescored_id_idx ON logintel_internal.scores (rescored_id) WHERE rescored_id IS NOT NULL;
CREATE INDEX scores_scored_at_idx ON logintel_internal.scores (scored_at) WHERE at_write;

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.scores', '');
SELECT pg_catalog.pg_extension_config_dump('logintel_internal.scores_id_seq', '');

COMMENT ON TABLE logintel_internal.scores IS 'What each model set says of each shape: computed once, used by every line of that shape.';
COMMENT ON COLUMN logintel_internal.scores.id IS 'Identifies the score; predictions point to it. Its upper bits are the attachment''s number: _attachment_of().';
COMMENT ON COLUMN logintel_internal.scores.model_set_id IS 'The model set that gave the score.';
COMMENT ON COLUMN logintel_internal.scores.shape_hash IS '_shape_hash() of the shape: how a line finds its score.';
COMMENT ON COLUMN logintel_internal.scores.canonical IS 'True for the one row of a shape that look-ups use first; false for rows appended since the last upkeep.';
COMMENT ON COLUMN logintel_internal.scores.template IS 'The masked message; its first 200 characters once the shape is evicted.';
COMMENT ON COLUMN logintel_internal.scores.service IS 'Service of the shape.';
COMMENT ON COLUMN logintel_internal.scores.source_type IS 'Source type of the shape.';
COMMENT ON COLUMN logintel_internal.scores.level IS 'Declared level of the shape, as the source wrote it.';
COMMENT ON COLUMN logintel_internal.scores.status_class IS 'HTTP status class of the shape.';
COMMENT ON COLUMN logintel_internal.scores.latency_bucket IS 'Response time bucket of the shape.';
COMMENT ON COLUMN logintel_internal.scores.predicted_level IS 'Level that the level model predicts; null without a level model.';
COMMENT ON COLUMN logintel_internal.scores.level_confidence IS 'Its probability, 0 to 1.';
COMMENT ON COLUMN logintel_internal.scores.level_probabilities IS 'Probabilities of DEBUG, INFO, WARN, ERROR and FATAL; null once the shape is evicted.';
COMMENT ON COLUMN logintel_internal.scores.category IS 'Likeliest category; null without a category model.';
COMMENT ON COLUMN logintel_internal.scores.category_confidence IS 'Its probability, 0 to 1.';
COMMENT ON COLUMN logintel_internal.scores.labels IS 'All categories that apply: the likeliest, and every other with a probability of 0.25 or more.';
COMMENT ON COLUMN logintel_internal.scores.anomaly_score IS 'How anomalous the shape is, 0 to 1; null without an anomaly model.';
COMMENT ON COLUMN logintel_internal.scores.anomaly_type IS 'The kind of anomaly it would be.';
COMMENT ON COLUMN logintel_internal.scores.unknown_words IS 'Share of the words of the template that the training lines of the models did not have, 0 to 1; null where no model of the set recorded them.';
COMMENT ON COLUMN logintel_internal.scores.is_new_template IS 'Whether the training lines of the models did not have the template; null where no model of the set recorded them.';
COMMENT ON COLUMN logintel_internal.scores.latency_us IS 'What computing the score took, in microseconds: its share of the batch.';
COMMENT ON COLUMN logintel_internal.scores.at_write IS 'Whether a line waited for the score; false for what a deployment, a test or rescore() had scored in advance.';
COMMENT ON COLUMN logintel_internal.scores.scored_at IS 'When the score was computed.';
COMMENT ON COLUMN logintel_internal.scores.rescored_id IS 'The score of the same shape that readers see instead, given by rescore(); null for its own.';
COMMENT ON COLUMN logintel_internal.scores.evicted_txid IS 'Transaction that evicted the shape: it is no longer looked up. Null while it is known.';
