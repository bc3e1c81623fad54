-- What keeps apart those who must not work at the same time. Each lock is a row, which its folder brings.
CREATE TABLE logintel_internal.locks (
    name text NOT NULL,
    CONSTRAINT locks_pkey PRIMARY KEY (name)
);

COMMENT ON TABLE logintel_internal.locks IS 'Locks, a row each: who updates a row keeps all others out until the end of the transaction.';
COMMENT ON COLUMN logintel_internal.locks.name IS 'What it is the lock of.';
