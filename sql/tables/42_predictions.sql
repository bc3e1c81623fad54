-- One narrow row a line: which score it has. Readers use the view ml_predictions, which adds what the score says.
-- No unique constraint and no foreign key: each would cost every write, and either could refuse one.
CREATE TABLE logintel.predictions (
    log_entry_id bigint NOT NULL,
    score_id bigint NOT NULL,
    predicted_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX predictions_log_entry_id_idx ON logintel.predictions (log_entry_id);
CREATE INDEX predictions_predicted_at_idx ON logintel.predictions (predicted_at);

SELECT pg_catalog.pg_extension_config_dump('logintel.predictions', '');

COMMENT ON TABLE logintel.predictions IS 'Which score each line has. Read the view ml_predictions instead.';
COMMENT ON COLUMN logintel.predictions.log_entry_id IS 'Key of the line in the log table.';
COMMENT ON COLUMN logintel.predictions.score_id IS 'The score in shape_scores.';
COMMENT ON COLUMN logintel.predictions.predicted_at IS 'Start of the transaction that scored the line.';
