-- One row a setting, changed with UPDATE; a change acts on the next statement. Every setting has a row from the start,
-- whose place a dump's row takes: 80_check_setting.sql.
CREATE TABLE logintel.settings (
    name text NOT NULL,
    value text NOT NULL,
    description text NOT NULL,
    CONSTRAINT settings_pkey PRIMARY KEY (name)
);

SELECT pg_catalog.pg_extension_config_dump('logintel.settings', '');

COMMENT ON TABLE logintel.settings IS 'Settings of logintel. Change one with UPDATE logintel.settings SET value = ... WHERE name = ...; it acts on the next statement.';
COMMENT ON COLUMN logintel.settings.name IS 'Name of the setting.';
COMMENT ON COLUMN logintel.settings.value IS 'Its value, checked when it is written.';
COMMENT ON COLUMN logintel.settings.description IS 'What it does and which values it takes.';

INSERT INTO logintel.settings (name, value, description) VALUES
    ('mode', 'inline',
     'inline: every line is scored at the write. deferred: lines of known shape are, new shapes wait for the worker or backfill(). off: every line waits.'),
    ('anomaly_threshold', '0.7',
     'A line is an anomaly when its anomaly score reaches this; from 0 to 1.'),
    ('classification_min_confidence', '0.6',
     'A level below this confidence is no correction; from 0 to 1.'),
    ('retention_days', '0',
     'Days that lines and predictions are kept, in a log table whose partitions logintel manages; 0 keeps all.'),
    ('known_shapes', '100000',
     'Shapes that each model set keeps for look-up; maintain() evicts the least used beyond.'),
    ('promotion', 'test',
     'What becomes of a retrained model that passes its gates. test: a shadow test against the version in force decides. now: it is deployed at once. manual: it is only registered.'),
    ('retrain_every_hours', '0',
     'Every so many hours "logintel worker" requests a retraining of what is advised to be retrained; 0 to 24, 0 for never. schedule() sets it.');
