-- Who holds the row of a lock keeps others out until the end of his transaction. The row is updated, not only locked: who
-- waited under a snapshot from before doesn't see what the other one did, and fails at it, to be tried again.
CREATE TABLE logintel.locks (
    name text NOT NULL,
    CONSTRAINT locks_pkey PRIMARY KEY (name)
);
INSERT INTO logintel.locks (name) VALUES ('deployments'), ('publishing');

COMMENT ON TABLE logintel.locks IS 'Locks by name; see _lock_deployments() and _lock_publishing().';
COMMENT ON COLUMN logintel.locks.name IS 'What the lock guards.';
