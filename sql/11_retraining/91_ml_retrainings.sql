CREATE OR REPLACE VIEW logintel.ml_retrainings AS
SELECT r.id, r.names, r.reasons, r.requested_at, r.requested_by, r.started_at, r.finished_at, r.outcome, r.report
FROM logintel_internal.retrainings r
ORDER BY r.id DESC;

COMMENT ON VIEW logintel.ml_retrainings IS 'Every retraining, newest first: requested, begun, and what came of it.';
COMMENT ON COLUMN logintel.ml_retrainings.id IS 'Order of the requests.';
COMMENT ON COLUMN logintel.ml_retrainings.names IS 'The models to be trained.';
COMMENT ON COLUMN logintel.ml_retrainings.reasons IS 'What spoke for it.';
COMMENT ON COLUMN logintel.ml_retrainings.requested_at IS 'When it was requested.';
COMMENT ON COLUMN logintel.ml_retrainings.requested_by IS 'By which role.';
COMMENT ON COLUMN logintel.ml_retrainings.started_at IS 'When it began; null while nobody has taken the request.';
COMMENT ON COLUMN logintel.ml_retrainings.finished_at IS 'When it ended; null until then.';
COMMENT ON COLUMN logintel.ml_retrainings.outcome IS 'What came of it, in words.';
COMMENT ON COLUMN logintel.ml_retrainings.report IS 'What was learnt from, and for each model its gates and what became of it.';
