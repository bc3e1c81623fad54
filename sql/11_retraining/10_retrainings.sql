-- Every retraining, from the request to what came of it. A row is open until it is finished; a started one runs as long as
-- the session that began it is there, so that a run that was killed keeps nobody from the next.
CREATE TABLE logintel_internal.retrainings (
    id integer GENERATED ALWAYS AS IDENTITY,
    requested_at timestamptz NOT NULL DEFAULT now(),
    requested_by text NOT NULL DEFAULT session_user,
    names text[] NOT NULL,
    reasons text[] NOT NULL,
    started_at timestamptz,
    pid integer,
    session_began_at timestamptz,
    finished_at timestamptz,
    outcome text,
    report jsonb,
    CONSTRAINT retrainings_pkey PRIMARY KEY (id),
    CONSTRAINT retrainings_outcome_check CHECK ((finished_at IS NULL) = (outcome IS NULL))
);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.retrainings', '');
SELECT pg_catalog.pg_extension_config_dump('logintel_internal.retrainings_id_seq', '');

COMMENT ON TABLE logintel_internal.retrainings IS 'Every retraining: requested, begun, and what came of it. Written by request_retraining() and by "logintel retrain".';
COMMENT ON COLUMN logintel_internal.retrainings.id IS 'Order of the requests.';
COMMENT ON COLUMN logintel_internal.retrainings.requested_at IS 'When it was requested.';
COMMENT ON COLUMN logintel_internal.retrainings.requested_by IS 'By which role.';
COMMENT ON COLUMN logintel_internal.retrainings.names IS 'The models that are to be trained.';
COMMENT ON COLUMN logintel_internal.retrainings.reasons IS 'What spoke for it then, as ml_retrain_advice said.';
COMMENT ON COLUMN logintel_internal.retrainings.started_at IS 'When it began; null while nobody has taken the request.';
COMMENT ON COLUMN logintel_internal.retrainings.pid IS 'Server process of the session that runs it.';
COMMENT ON COLUMN logintel_internal.retrainings.session_began_at IS 'When that session began: with the pid it identifies the session.';
COMMENT ON COLUMN logintel_internal.retrainings.finished_at IS 'When it ended, however it did.';
COMMENT ON COLUMN logintel_internal.retrainings.outcome IS 'What came of it, in words; "failed: ..." where it did not come to an end.';
COMMENT ON COLUMN logintel_internal.retrainings.report IS 'What was learnt from, and for each model its gates and what became of it.';
