-- A deleted prediction has to be taken off the counts if it was counted, which is known only when the next roll-up
-- runs.
CREATE TABLE logintel_internal.removed_predictions (
    hour timestamptz NOT NULL,
    score_id bigint NOT NULL,
    prediction_txid bigint NOT NULL,
    lines bigint NOT NULL
);

COMMENT ON TABLE logintel_internal.removed_predictions IS 'Predictions deleted since the last roll-up, to be taken off the counts.';
COMMENT ON COLUMN logintel_internal.removed_predictions.hour IS 'Hour of the line.';
COMMENT ON COLUMN logintel_internal.removed_predictions.score_id IS 'The score that the prediction pointed to.';
COMMENT ON COLUMN logintel_internal.removed_predictions.prediction_txid IS 'Transaction that had made the prediction.';
COMMENT ON COLUMN logintel_internal.removed_predictions.lines IS 'How many predictions.';
