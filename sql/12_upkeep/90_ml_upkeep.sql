-- A task that is at work is shown as it ended the last time.
CREATE OR REPLACE VIEW logintel.ml_upkeep AS
SELECT logintel._handler_words(h.name) AS task, u.ran_at, u.seconds, CASE WHEN NOT b.was_ended THEN u.done END AS done,
       CASE WHEN b.was_ended
            THEN 'it did not end: a statement_timeout, a cancelled statement or a lost session ended it'
            ELSE u.failure END AS failure,
       CASE WHEN b.was_ended THEN coalesce(u.failing_since, u.begun_at) ELSE u.failing_since END AS failing_since,
       CASE WHEN b.was_ended THEN 'let a role without a statement_timeout run maintain(), as "logintel worker" does; '
                                  'the next one tries again when it has run the others'
            ELSE u.next_step END AS next_step
FROM logintel._handlers('task') AS h (name)
LEFT JOIN logintel_internal.upkeep_tasks u ON u.task = h.name
CROSS JOIN LATERAL (
    SELECT u.begun_at IS NOT NULL AND NOT logintel._installer_sees(u.begun_by, u.begun_in) AS was_ended OFFSET 0) AS b
ORDER BY h.name COLLATE "C";

COMMENT ON VIEW logintel.ml_upkeep IS 'The tasks of maintain(), in their order, and the last run of each.';
COMMENT ON COLUMN logintel.ml_upkeep.task IS 'What the task does.';
COMMENT ON COLUMN logintel.ml_upkeep.ran_at IS 'When it ran last to its end; null when it never did.';
COMMENT ON COLUMN logintel.ml_upkeep.seconds IS 'How long that took.';
COMMENT ON COLUMN logintel.ml_upkeep.done IS 'How many things it did; null when it failed.';
COMMENT ON COLUMN logintel.ml_upkeep.failure IS 'The error that it failed with; null when it did not.';
COMMENT ON COLUMN logintel.ml_upkeep.failing_since IS 'When it failed first since it last did not.';
COMMENT ON COLUMN logintel.ml_upkeep.next_step IS 'What to do about the failure.';
