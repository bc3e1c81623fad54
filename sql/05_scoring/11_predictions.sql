-- One narrow row a line: which score it has. Readers use the view ml_predictions, which adds what the score says.
-- No unique constraint and no foreign key: each would cost every write, and either could refuse one. Rows never change.
--
-- Partitioned by the time of the line, as the standard log table is, so that retention drops a day of both. The
-- transaction id lets the roll-up count every row exactly once. For it, and for when a line was scored, one BRIN index
-- does, which costs the writes least: they grow with the table.
CREATE TABLE logintel_internal.predictions (
    log_entry_id bigint NOT NULL,
    score_id bigint NOT NULL,
    "timestamp" timestamptz NOT NULL,
    predicted_at timestamptz NOT NULL DEFAULT now(),
    txid bigint NOT NULL DEFAULT txid_current()
) PARTITION BY RANGE ("timestamp");
COMMENT ON TABLE logintel_internal.predictions IS 'Which score each line has, a partition a day. Read the view ml_predictions instead.';
COMMENT ON COLUMN logintel_internal.predictions.log_entry_id IS 'Key of the line in its log table, which is that of the score.';
COMMENT ON COLUMN logintel_internal.predictions.score_id IS 'The score in scores.';
COMMENT ON COLUMN logintel_internal.predictions."timestamp" IS 'Time of the line, or of its prediction where the line has none.';
COMMENT ON COLUMN logintel_internal.predictions.predicted_at IS 'Start of the transaction that scored the line.';
COMMENT ON COLUMN logintel_internal.predictions.txid IS 'Id of that transaction.';

-- Indexes belong to the partitions, which copy them from this one: a dump of partitions whose indexes belonged to an
-- index of the extension's table could not be restored.
CREATE TABLE logintel_internal.predictions_default (LIKE logintel_internal.predictions INCLUDING ALL);
CREATE INDEX predictions_default_log_entry_id_idx ON logintel_internal.predictions_default (log_entry_id);
CREATE INDEX predictions_default_timestamp_idx ON logintel_internal.predictions_default ("timestamp");
CREATE INDEX predictions_default_txid_timestamp_predicted_at_idx ON logintel_internal.predictions_default
    USING brin (txid, "timestamp", predicted_at) WITH (pages_per_range = 16);
ALTER TABLE logintel_internal.predictions ATTACH PARTITION logintel_internal.predictions_default DEFAULT;

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.predictions_default', '');

COMMENT ON TABLE logintel_internal.predictions_default IS 'Predictions of lines whose day has no partition.';
