-- The linear models of a set, laid out side by side: a key that all of them know is one row with the weights of all,
-- which costs one look-up instead of one a model. The columns are fixed: five levels, up to eight categories, up to
-- seven types of anomalies. The members of an ensemble have a lane each. Made when a set is about to score lines,
-- removed when it no longer does; as with linear_models, no dump of the extension holds it.
CREATE TABLE logintel_internal.layouts (
    id integer GENERATED ALWAYS AS IDENTITY,
    model_set_id integer,
    lane smallint NOT NULL,
    hash_canary bigint NOT NULL,
    has_norms boolean NOT NULL,
    reads_context boolean NOT NULL,
    reads_level boolean NOT NULL,
    knows_lines boolean NOT NULL,
    has_level boolean NOT NULL,
    categories text[],
    anomaly_types text[],
    votes boolean[] NOT NULL,
    CONSTRAINT layouts_pkey PRIMARY KEY (id),
    CONSTRAINT layouts_model_set_id_lane_key UNIQUE (model_set_id, lane),
    CONSTRAINT layouts_model_set_id_fkey FOREIGN KEY (model_set_id)
        REFERENCES logintel_internal.model_sets (id) ON DELETE CASCADE
);

COMMENT ON TABLE logintel_internal.layouts IS 'How the linear models of a set lie side by side in layout_weights.';
COMMENT ON COLUMN logintel_internal.layouts.id IS 'Number of the layout.';
COMMENT ON COLUMN logintel_internal.layouts.model_set_id IS 'The model set; null while a version is checked.';
COMMENT ON COLUMN logintel_internal.layouts.lane IS '1; the further members of ensembles have further lanes.';
COMMENT ON COLUMN logintel_internal.layouts.hash_canary IS 'The hash of a fixed text on the server that made the rows.';
COMMENT ON COLUMN logintel_internal.layouts.has_norms IS 'Whether weights of this lane are counted or divided by a norm.';
COMMENT ON COLUMN logintel_internal.layouts.reads_context IS 'Whether a model reads tokens of the context.';
COMMENT ON COLUMN logintel_internal.layouts.reads_level IS 'Whether a model reads the declared level.';
COMMENT ON COLUMN logintel_internal.layouts.knows_lines IS 'Whether the words and templates of the training lines are in layout_weights.';
COMMENT ON COLUMN logintel_internal.layouts.has_level IS 'Whether the set has a level model.';
COMMENT ON COLUMN logintel_internal.layouts.categories IS 'What the columns from 6 on stand for; null without a category model.';
COMMENT ON COLUMN logintel_internal.layouts.anomaly_types IS 'What the columns from 14 on stand for; null without an anomaly model.';
COMMENT ON COLUMN logintel_internal.layouts.votes IS 'Whether the lanes vote, for level, category and anomaly; they are averaged otherwise.';


CREATE TABLE logintel_internal.layout_weights (
    layout_id integer NOT NULL,
    key bigint NOT NULL,
    norm smallint NOT NULL,
    idf real,
    w1 real, w2 real, w3 real, w4 real, w5 real,
    w6 real, w7 real, w8 real, w9 real, w10 real, w11 real, w12 real, w13 real,
    w14 real, w15 real, w16 real, w17 real, w18 real, w19 real, w20 real,
    CONSTRAINT layout_weights_layout_id_fkey FOREIGN KEY (layout_id) REFERENCES logintel_internal.layouts (id)
        ON DELETE CASCADE
);
CREATE INDEX layout_weights_layout_id_key_idx ON logintel_internal.layout_weights (layout_id, key);

COMMENT ON TABLE logintel_internal.layout_weights IS 'The weights of the linear models of a set, side by side.';
COMMENT ON COLUMN logintel_internal.layout_weights.layout_id IS 'The layout.';
COMMENT ON COLUMN logintel_internal.layout_weights.key IS 'As in linear_weights; 0 for the intercepts.';
COMMENT ON COLUMN logintel_internal.layout_weights.norm IS 'As in linear_weights; -1 for a word, -2 for the digest of a template (seed 5) of the training lines, which have no weights.';
COMMENT ON COLUMN logintel_internal.layout_weights.idf IS 'As in linear_weights.';
COMMENT ON COLUMN logintel_internal.layout_weights.w1 IS 'Weight of the level DEBUG.';
COMMENT ON COLUMN logintel_internal.layout_weights.w2 IS 'Weight of the level INFO.';
COMMENT ON COLUMN logintel_internal.layout_weights.w3 IS 'Weight of the level WARN.';
COMMENT ON COLUMN logintel_internal.layout_weights.w4 IS 'Weight of the level ERROR.';
COMMENT ON COLUMN logintel_internal.layout_weights.w5 IS 'Weight of the level FATAL.';
COMMENT ON COLUMN logintel_internal.layout_weights.w6 IS 'Weight of category 1.';
COMMENT ON COLUMN logintel_internal.layout_weights.w7 IS 'Weight of category 2.';
COMMENT ON COLUMN logintel_internal.layout_weights.w8 IS 'Weight of category 3.';
COMMENT ON COLUMN logintel_internal.layout_weights.w9 IS 'Weight of category 4.';
COMMENT ON COLUMN logintel_internal.layout_weights.w10 IS 'Weight of category 5.';
COMMENT ON COLUMN logintel_internal.layout_weights.w11 IS 'Weight of category 6.';
COMMENT ON COLUMN logintel_internal.layout_weights.w12 IS 'Weight of category 7.';
COMMENT ON COLUMN logintel_internal.layout_weights.w13 IS 'Weight of category 8.';
COMMENT ON COLUMN logintel_internal.layout_weights.w14 IS 'Weight of anomaly type 1.';
COMMENT ON COLUMN logintel_internal.layout_weights.w15 IS 'Weight of anomaly type 2.';
COMMENT ON COLUMN logintel_internal.layout_weights.w16 IS 'Weight of anomaly type 3.';
COMMENT ON COLUMN logintel_internal.layout_weights.w17 IS 'Weight of anomaly type 4.';
COMMENT ON COLUMN logintel_internal.layout_weights.w18 IS 'Weight of anomaly type 5.';
COMMENT ON COLUMN logintel_internal.layout_weights.w19 IS 'Weight of anomaly type 6.';
COMMENT ON COLUMN logintel_internal.layout_weights.w20 IS 'Weight of anomaly type 7.';
