CREATE OR REPLACE VIEW logintel.ml_upkeep AS
SELECT logintel._handler_words(h.name) AS task, u.ran_at, u.seconds, u.done, u.failure, u.failing_since, u.next_step
FROM logintel._handlers('task') AS h (name)
LEFT JOIN logintel.upkeep_tasks u ON u.task = h.name
ORDER BY h.name COLLATE "C";

COMMENT ON VIEW logintel.ml_upkeep IS 'The tasks of maintain(), in their order, and the last run of each.';
COMMENT ON COLUMN logintel.ml_upkeep.task IS 'What the task does.';
COMMENT ON COLUMN logintel.ml_upkeep.ran_at IS 'When it ran last; null when it never did.';
COMMENT ON COLUMN logintel.ml_upkeep.seconds IS 'How long that took.';
COMMENT ON COLUMN logintel.ml_upkeep.done IS 'How many things it did; null when it failed.';
COMMENT ON COLUMN logintel.ml_upkeep.failure IS 'The error that it failed with; null when it did not.';
COMMENT ON COLUMN logintel.ml_upkeep.failing_since IS 'When it failed first since it last did not.';
COMMENT ON COLUMN logintel.ml_upkeep.next_step IS 'What to do about the failure.';
