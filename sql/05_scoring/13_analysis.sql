-- What analyze() answers for one line.
CREATE TYPE logintel.analysis AS (
    "position" bigint,
    template text,
    predicted_level text,
    level_confidence real,
    level_probabilities jsonb,
    category text,
    category_confidence real,
    labels text[],
    is_anomaly boolean,
    anomaly_score real,
    anomaly_type text,
    severity text,
    model_version text
);

COMMENT ON TYPE logintel.analysis IS 'What the models in force say of one line. position counts from 1; the other columns mean what they mean in ml_predictions.';
