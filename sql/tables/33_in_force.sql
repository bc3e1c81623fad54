-- One row, for the write path: what the newest deployment and the mode come to. Reading both there would cost a one-row
-- insert twice as much as reading this. sql/triggers/11_refresh_in_force.sql keeps it, also when a restore loads them.
CREATE TABLE logintel.in_force (
    model_set_id integer
);

COMMENT ON TABLE logintel.in_force IS 'The model set that the write path scores with, in one row.';
COMMENT ON COLUMN logintel.in_force.model_set_id IS 'Model set of the newest deployment; null when there is none or the mode is off.';

INSERT INTO logintel.in_force VALUES (NULL);
