-- What a model set says of one shape, as PL/Python returns it.
CREATE TYPE logintel._score AS (
    predicted_level text,
    level_confidence real,
    level_probabilities jsonb,
    category text,
    category_confidence real,
    labels text[],
    anomaly_score real,
    anomaly_type text,
    latency_us real
);

COMMENT ON TYPE logintel._score IS 'What a model set says of one shape.';
