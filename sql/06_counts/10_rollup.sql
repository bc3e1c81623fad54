-- Statistics are counts of lines by score and by hour, rolled up by maintain(). Writers share no counter: a prediction
-- carries the id of its transaction, and the roll-up counts exactly the rows that its snapshot sees and the one before
-- did not. Readers add the rest, so counts always add up to the rows. None of this is dumped: transaction ids mean
-- nothing in another cluster, and the first roll-up there counts afresh.
CREATE TABLE logintel_internal.rollup_state (
    one_row boolean NOT NULL DEFAULT true,
    counted txid_snapshot,
    counted_at timestamptz,
    evicted_before bigint,
    users_before bigint,
    CONSTRAINT rollup_state_pkey PRIMARY KEY (one_row),
    CONSTRAINT rollup_state_one_row_check CHECK (one_row)
);
INSERT INTO logintel_internal.rollup_state DEFAULT VALUES;

CREATE TABLE logintel_internal.hourly_counts (
    hour timestamptz NOT NULL,
    score_id bigint NOT NULL,
    lines bigint NOT NULL,
    first_at timestamptz NOT NULL DEFAULT '-infinity',
    last_at timestamptz NOT NULL DEFAULT 'infinity',
    CONSTRAINT hourly_counts_pkey PRIMARY KEY (hour, score_id)
) WITH (fillfactor = 70);
CREATE INDEX hourly_counts_score_id_idx ON logintel_internal.hourly_counts (score_id, hour);

CREATE TABLE logintel_internal.score_totals (
    score_id bigint NOT NULL,
    lines bigint NOT NULL,
    CONSTRAINT score_totals_pkey PRIMARY KEY (score_id)
) WITH (fillfactor = 70);

COMMENT ON TABLE logintel_internal.rollup_state IS 'How far the roll-up has counted: one row.';
COMMENT ON COLUMN logintel_internal.rollup_state.one_row IS 'Always true: keeps the table at one row.';
COMMENT ON COLUMN logintel_internal.rollup_state.counted IS 'Predictions of transactions that this snapshot sees are counted; null before the first roll-up.';
COMMENT ON COLUMN logintel_internal.rollup_state.counted_at IS 'When that was.';
COMMENT ON COLUMN logintel_internal.rollup_state.evicted_before IS 'Nobody looks up scores any more that transactions below this id evicted; see _task_063_remove_unused_scores().';
COMMENT ON COLUMN logintel_internal.rollup_state.users_before IS 'Who ever did has an id below this.';
COMMENT ON TABLE logintel_internal.hourly_counts IS 'Lines by hour of the line and by score, as far as rolled up.';
COMMENT ON COLUMN logintel_internal.hourly_counts.hour IS 'Start of the hour.';
COMMENT ON COLUMN logintel_internal.hourly_counts.score_id IS 'The score in scores.';
COMMENT ON COLUMN logintel_internal.hourly_counts.lines IS 'Lines of that hour that have the score.';
COMMENT ON COLUMN logintel_internal.hourly_counts.first_at IS 'None of them is earlier: a reader of a rare score need not go through the whole hour.';
COMMENT ON COLUMN logintel_internal.hourly_counts.last_at IS 'None of them is later.';
COMMENT ON TABLE logintel_internal.score_totals IS 'Lines by score, as far as rolled up.';
COMMENT ON COLUMN logintel_internal.score_totals.score_id IS 'The score in scores.';
COMMENT ON COLUMN logintel_internal.score_totals.lines IS 'Lines that have the score.';
