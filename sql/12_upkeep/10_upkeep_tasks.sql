-- What the upkeep did: a row a task, written when it first began. Not dumped: a restored database does all tasks anew.
CREATE TABLE logintel_internal.upkeep_tasks (
    task text NOT NULL,
    run_began_at timestamptz NOT NULL,
    ran_at timestamptz,
    seconds double precision,
    done bigint,
    failure text,
    next_step text,
    failing_since timestamptz,
    begun_at timestamptz,
    begun_by integer,
    begun_in timestamptz,
    has_more boolean NOT NULL DEFAULT false,
    CONSTRAINT upkeep_tasks_pkey PRIMARY KEY (task)
);

INSERT INTO logintel_internal.locks (name) VALUES ('upkeep');

COMMENT ON TABLE logintel_internal.upkeep_tasks IS 'The last run of each task of the upkeep. Read the view ml_upkeep instead.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.task IS 'The task''s function.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.run_began_at IS 'When the maintain() began that ran it last: the tasks of the oldest come first in the next one.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.ran_at IS 'When it ran last; null when it never ended.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.seconds IS 'How long that took.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.done IS 'How many things it did; null when it failed.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.failure IS 'SQLSTATE and message of the error that it failed with; null when it did not.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.next_step IS 'What to do about the failure.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.failing_since IS 'When it failed first since it last did not.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.has_more IS 'Whether it does its work bit by bit and has more to do: it runs again in the same maintain().';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.begun_at IS 'When it began, if it has not ended since; null when it has.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.begun_by IS 'Process id of the session that began it.';
COMMENT ON COLUMN logintel_internal.upkeep_tasks.begun_in IS 'When the statement of that session began: once that is over, so is the task.';
