-- The templates that are suspected, as the upkeep judged them last. All of it can be made again, so no dump holds it.
CREATE TABLE logintel_internal.suspects (
    rank bigint NOT NULL,
    suspicion text NOT NULL,
    reason text NOT NULL,
    template text NOT NULL,
    service text NOT NULL,
    lines bigint NOT NULL,
    declared_level text NOT NULL,
    declared_levels jsonb NOT NULL,
    predicted_level text NOT NULL,
    confidence real NOT NULL,
    words_opinion real NOT NULL,
    neighbours_opinion real,
    service_opinion real NOT NULL,
    twins_opinion real NOT NULL,
    telling_words jsonb,
    nearest_templates jsonb,
    first_seen timestamptz,
    last_seen timestamptz,
    score_ids bigint[] NOT NULL,
    judged_at timestamptz NOT NULL DEFAULT now(),
    attachment_id integer NOT NULL
);

COMMENT ON TABLE logintel_internal.suspects IS 'The rows of ml_suspects, where there are many templates, as the upkeep made them.';
COMMENT ON COLUMN logintel_internal.suspects.rank IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.suspicion IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.reason IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.template IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.service IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.lines IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.declared_level IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.declared_levels IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.predicted_level IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.confidence IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.words_opinion IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.neighbours_opinion IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.service_opinion IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.twins_opinion IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.telling_words IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.nearest_templates IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.first_seen IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.last_seen IS 'As in ml_suspects.';
COMMENT ON COLUMN logintel_internal.suspects.score_ids IS 'The scores of its lines that declare such a level.';
COMMENT ON COLUMN logintel_internal.suspects.attachment_id IS 'The attachment of the log table that has these lines.';
COMMENT ON COLUMN logintel_internal.suspects.judged_at IS 'When it was judged.';

CREATE TABLE logintel_internal.suspects_state (
    one_row boolean NOT NULL DEFAULT true,
    judged_at timestamptz,
    verdicts text,
    last_score bigint,
    last_change bigint,
    CONSTRAINT suspects_state_pkey PRIMARY KEY (one_row),
    CONSTRAINT suspects_state_one_row_check CHECK (one_row)
);
INSERT INTO logintel_internal.suspects_state DEFAULT VALUES;

COMMENT ON TABLE logintel_internal.suspects_state IS 'When templates were judged: one row.';
COMMENT ON COLUMN logintel_internal.suspects_state.one_row IS 'Always true: it is the key.';
COMMENT ON COLUMN logintel_internal.suspects_state.judged_at IS 'When the rows of suspects were made; null where nobody made them.';
COMMENT ON COLUMN logintel_internal.suspects_state.verdicts IS 'Which verdicts there were then.';
COMMENT ON COLUMN logintel_internal.suspects_state.last_score IS 'The last value of the sequence that scores are numbered by then.';
COMMENT ON COLUMN logintel_internal.suspects_state.last_change IS 'The last change of the counts then.';
