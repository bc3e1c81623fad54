-- Who truncates may be unable to see, or to wait for, the predictions of lines that are gone by that. A row in here
-- says so: rows are only added, so nobody waits for who compares lines with predictions, which takes them out.
CREATE TABLE logintel_internal.truncations (
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attachment_id integer NOT NULL
);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.truncations', '');

COMMENT ON TABLE logintel_internal.truncations IS 'Truncations that may have left predictions of lines that are gone: whoever looks for work next, or the upkeep, compares lines and predictions.';
COMMENT ON COLUMN logintel_internal.truncations.noted_at IS 'When it was noted.';
COMMENT ON COLUMN logintel_internal.truncations.attachment_id IS 'The attachment of the log table, which may have ended since.';
