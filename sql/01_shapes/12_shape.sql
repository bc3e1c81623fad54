-- What a model sees of a line, and all that it sees: lines of one shape have one score. Never null: '' where unknown.
CREATE TYPE logintel.shape AS (
    template text,
    service text,
    source_type text,
    level text,
    status_class text,
    latency_bucket text
);

COMMENT ON TYPE logintel.shape IS 'Shape of a log line: the masked message and the context that models read.';
COMMENT ON COLUMN logintel.shape.template IS 'The message; what holds a digit in it replaced by <*>, codes by their class.';
COMMENT ON COLUMN logintel.shape.service IS 'Component or service that wrote the line.';
COMMENT ON COLUMN logintel.shape.source_type IS 'Kind of source.';
COMMENT ON COLUMN logintel.shape.level IS 'Level as the source wrote it. The level model never sees it.';
COMMENT ON COLUMN logintel.shape.status_class IS 'HTTP status class, 1xx to 5xx.';
COMMENT ON COLUMN logintel.shape.latency_bucket IS 'Response time, from <100ms to >=30s.';
