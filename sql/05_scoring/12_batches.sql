-- What passes between SQL and PL/Python: columns, which cost a third of what rows cost. The n-th values belong to the
-- n-th shape.
CREATE TYPE logintel._shapes AS (
    shape_hash bigint[],
    template text[],
    service text[],
    source_type text[],
    level text[],
    status_class text[],
    latency_bucket text[],
    attachment_id integer
);

COMMENT ON TYPE logintel._shapes IS 'Shapes of the lines of one log table, in columns, each with its _shape_hash().';

CREATE TYPE logintel._line AS (
    id bigint,
    "timestamp" timestamptz,
    shape_hash bigint,
    shape logintel.shape,
    attachment_id integer
);

COMMENT ON TYPE logintel._line IS 'A line to be scored: its key, its time, its shape, and the attachment of its table.';
COMMENT ON COLUMN logintel._line.id IS 'Key of the line.';
COMMENT ON COLUMN logintel._line."timestamp" IS 'Time of the line, null where it has none.';
COMMENT ON COLUMN logintel._line.shape_hash IS 'Its _shape_hash().';
COMMENT ON COLUMN logintel._line.shape IS 'Its shape.';
COMMENT ON COLUMN logintel._line.attachment_id IS 'The attachment of its log table.';

CREATE TYPE logintel._scores AS (
    predicted_level text[],
    level_confidence real[],
    level_probabilities real[],
    category text[],
    category_confidence real[],
    labels text[],
    anomaly_score real[],
    anomaly_type text[],
    unknown_words real[],
    is_new_template boolean[],
    latency_us real
);

COMMENT ON TYPE logintel._scores IS 'What a model set says of shapes, in columns: five probabilities a shape, from DEBUG to FATAL; labels written as arrays; one latency for all.';
