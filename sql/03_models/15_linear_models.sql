-- Linear models as rows, so that SQL can score them: what _compile() makes of a version's graph, which stays what the
-- model is. All in here can be made again from the graph, and is where it is missing or was made with another hash
-- function, so no dump of the extension holds it. hash_canary is the hash of a fixed text: rows are found by hashes.
CREATE TABLE logintel_internal.linear_models (
    model_id integer NOT NULL,
    hash_canary bigint NOT NULL,
    fault text,
    features text[],
    classes text[],
    intercepts double precision[],
    CONSTRAINT linear_models_pkey PRIMARY KEY (model_id),
    CONSTRAINT linear_models_model_id_fkey FOREIGN KEY (model_id) REFERENCES logintel_internal.models (id)
        ON DELETE CASCADE
);

COMMENT ON TABLE logintel_internal.linear_models IS 'What the graphs of versions say in the form of a linear model, or why they cannot.';
COMMENT ON COLUMN logintel_internal.linear_models.model_id IS 'The version.';
COMMENT ON COLUMN logintel_internal.linear_models.hash_canary IS 'The hash of a fixed text on the server that made the rows.';
COMMENT ON COLUMN logintel_internal.linear_models.fault IS 'What SQL cannot express of the graph; null for a linear model.';
COMMENT ON COLUMN logintel_internal.linear_models.features IS 'The features that the model reads: words, context, level.';
COMMENT ON COLUMN logintel_internal.linear_models.classes IS 'Its classes, in the order of the weights.';
COMMENT ON COLUMN logintel_internal.linear_models.intercepts IS 'What each class begins with.';


CREATE TABLE logintel_internal.linear_weights (
    model_id integer NOT NULL,
    key bigint NOT NULL,
    norm smallint NOT NULL,
    idf real,
    weights real[] NOT NULL,
    CONSTRAINT linear_weights_model_id_fkey FOREIGN KEY (model_id)
        REFERENCES logintel_internal.linear_models (model_id) ON DELETE CASCADE
);
CREATE INDEX linear_weights_model_id_idx ON logintel_internal.linear_weights (model_id);

COMMENT ON TABLE logintel_internal.linear_weights IS 'The weights of linear models: a row for each n-gram, token of the context, known template or level.';
COMMENT ON COLUMN logintel_internal.linear_weights.model_id IS 'The version.';
COMMENT ON COLUMN logintel_internal.linear_weights.key IS 'Hash of the n-gram or token; its seed is what it stands for: 0 words, 1 context, 2 all words of a template, 3 level.';
COMMENT ON COLUMN logintel_internal.linear_weights.norm IS 'Rows of one number above 0 are divided by the length of their vector; 0: they are not.';
COMMENT ON COLUMN logintel_internal.linear_weights.idf IS 'Factor by which the number of occurrences counts; null: being there is what counts.';
COMMENT ON COLUMN logintel_internal.linear_weights.weights IS 'The weight for each class.';
