CREATE OR REPLACE VIEW logintel.ml_retrain_advice AS
SELECT a.name, a.version, a.is_default, a.advised, a.reasons, a.waits_for, a.new_lines, a.new_verdicts, a.data,
       a.last_retrained_at, a.last_outcome
FROM logintel._retrain_advice() a;

COMMENT ON VIEW logintel.ml_retrain_advice IS 'Whether each model in force should be trained again, why, and with what data; counted as far as the last maintain().';
COMMENT ON COLUMN logintel.ml_retrain_advice.name IS 'level, category or anomaly.';
COMMENT ON COLUMN logintel.ml_retrain_advice.version IS 'Version in force.';
COMMENT ON COLUMN logintel.ml_retrain_advice.is_default IS 'Whether that is a default model.';
COMMENT ON COLUMN logintel.ml_retrain_advice.advised IS 'Whether a retraining is advised: there are reasons, and nothing to wait for.';
COMMENT ON COLUMN logintel.ml_retrain_advice.reasons IS 'What speaks for it, with figures.';
COMMENT ON COLUMN logintel.ml_retrain_advice.waits_for IS 'What has to come first: the end of an A/B test, or new verdicts where the last retraining changed nothing; null for nothing.';
COMMENT ON COLUMN logintel.ml_retrain_advice.new_lines IS 'Lines of the time since it was trained.';
COMMENT ON COLUMN logintel.ml_retrain_advice.new_verdicts IS 'Verdicts on what it tells, given since it was trained.';
COMMENT ON COLUMN logintel.ml_retrain_advice.data IS 'What "logintel retrain" would learn from.';
COMMENT ON COLUMN logintel.ml_retrain_advice.last_retrained_at IS 'When the last retraining of it ended.';
COMMENT ON COLUMN logintel.ml_retrain_advice.last_outcome IS 'What came of that.';
