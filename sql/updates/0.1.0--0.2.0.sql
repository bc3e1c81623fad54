-- What 0.2.0 changes in the tables of 0.1.0. Make appends all functions, triggers and views, which replace the old.

-- 06_counts
CREATE TABLE logintel.count_changes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    hour timestamptz NOT NULL,
    score_id bigint NOT NULL,
    lines bigint NOT NULL,
    is_new boolean NOT NULL,
    is_recount boolean NOT NULL,
    CONSTRAINT count_changes_pkey PRIMARY KEY (id)
);

COMMENT ON TABLE logintel.count_changes IS 'Changes of the counts since they were last read, by hour of the line and score.';
COMMENT ON COLUMN logintel.count_changes.id IS 'Rows of a later roll-up have larger ids.';
COMMENT ON COLUMN logintel.count_changes.hour IS 'Hour of the lines (UTC).';
COMMENT ON COLUMN logintel.count_changes.score_id IS 'The score that the lines have.';
COMMENT ON COLUMN logintel.count_changes.lines IS 'How many lines more, or less.';
COMMENT ON COLUMN logintel.count_changes.is_new IS 'Whether these are the first lines that were ever counted with the score; in one row of a score at most.';
COMMENT ON COLUMN logintel.count_changes.is_recount IS 'Whether the lines were there before and counted afresh from nothing, as after a restore.';

CREATE TABLE logintel.count_readers (
    reader text NOT NULL,
    read_to bigint NOT NULL DEFAULT 0,
    CONSTRAINT count_readers_pkey PRIMARY KEY (reader)
);

COMMENT ON TABLE logintel.count_readers IS 'Who reads count_changes, and how far. A capability that reads it brings its row.';
COMMENT ON COLUMN logintel.count_readers.reader IS 'Name of the capability.';
COMMENT ON COLUMN logintel.count_readers.read_to IS 'The last id that it has read.';
