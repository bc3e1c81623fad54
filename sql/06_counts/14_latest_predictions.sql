-- Rolled up with the counts, and like them not dumped. An index on the time of predictions would cost every write.
CREATE TABLE logintel_internal.latest_predictions (
    attachment_id integer NOT NULL,
    predicted_at timestamptz NOT NULL,
    CONSTRAINT latest_predictions_pkey PRIMARY KEY (attachment_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE logintel_internal.latest_predictions IS 'When the latest prediction of each log table was made, as far as rolled up.';
COMMENT ON COLUMN logintel_internal.latest_predictions.attachment_id IS 'The attachment.';
COMMENT ON COLUMN logintel_internal.latest_predictions.predicted_at IS 'When its latest prediction was made, whether or not that is still there.';
