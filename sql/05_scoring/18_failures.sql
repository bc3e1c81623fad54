-- Appended where an insert would not be refused: no constraint that could fail, no index to wait for.
CREATE TABLE logintel_internal.failures (
    model_set_id integer NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now(),
    reason text,
    lines bigint NOT NULL
);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.failures', '');

COMMENT ON TABLE logintel_internal.failures IS 'Inserts whose lines were left waiting because scoring failed, until the upkeep counts them in model_metrics.';
COMMENT ON COLUMN logintel_internal.failures.model_set_id IS 'The model set in force.';
COMMENT ON COLUMN logintel_internal.failures.failed_at IS 'Start of the transaction that inserted the lines.';
COMMENT ON COLUMN logintel_internal.failures.reason IS 'The error.';
COMMENT ON COLUMN logintel_internal.failures.lines IS 'Lines left waiting.';
