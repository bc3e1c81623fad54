-- What each roll-up changed in the counts, in the order of the roll-ups: whatever is made from counts reads on from where
-- it was, so its cost depends on what changed and not on how much there is. Rows that every reader has read are removed.
-- Not dumped, as the counts are not: the first roll-up elsewhere counts everything afresh.
CREATE TABLE logintel_internal.count_changes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    hour timestamptz NOT NULL,
    score_id bigint NOT NULL,
    lines bigint NOT NULL,
    is_new boolean NOT NULL,
    is_recount boolean NOT NULL,
    CONSTRAINT count_changes_pkey PRIMARY KEY (id)
);

COMMENT ON TABLE logintel_internal.count_changes IS 'Changes of the counts since they were last read, by hour of the line and score.';
COMMENT ON COLUMN logintel_internal.count_changes.id IS 'Rows of a later roll-up have larger ids.';
COMMENT ON COLUMN logintel_internal.count_changes.hour IS 'Hour of the lines (UTC).';
COMMENT ON COLUMN logintel_internal.count_changes.score_id IS 'The score that the lines have.';
COMMENT ON COLUMN logintel_internal.count_changes.lines IS 'How many lines more, or less.';
COMMENT ON COLUMN logintel_internal.count_changes.is_new IS 'Whether these are the first lines that were ever counted with the score; in one row of a score at most.';
COMMENT ON COLUMN logintel_internal.count_changes.is_recount IS 'Whether the lines were there before and counted afresh from nothing, as after a restore.';

CREATE TABLE logintel_internal.count_readers (
    reader text NOT NULL,
    read_to bigint NOT NULL DEFAULT 0,
    CONSTRAINT count_readers_pkey PRIMARY KEY (reader)
);

COMMENT ON TABLE logintel_internal.count_readers IS 'Who reads count_changes, and how far. A capability that reads it brings its row.';
COMMENT ON COLUMN logintel_internal.count_readers.reader IS 'Name of the capability.';
COMMENT ON COLUMN logintel_internal.count_readers.read_to IS 'The last id that it has read.';
