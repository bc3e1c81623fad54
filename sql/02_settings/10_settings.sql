-- One row a setting, changed with UPDATE; a change acts on the next statement. Every setting has a row from the
-- start, which its capability brings, and whose place a dump's row takes: 80_check_setting.sql.
CREATE TABLE logintel.settings (
    name text NOT NULL,
    value text NOT NULL,
    description text NOT NULL,
    pattern text NOT NULL,
    hint text NOT NULL,
    CONSTRAINT settings_pkey PRIMARY KEY (name)
);

SELECT pg_catalog.pg_extension_config_dump('logintel.settings', '');

COMMENT ON TABLE logintel.settings IS 'Settings of logintel. Change one with UPDATE logintel.settings SET value = ... WHERE name = ...; it acts on the next statement.';
COMMENT ON COLUMN logintel.settings.name IS 'Name of the setting.';
COMMENT ON COLUMN logintel.settings.value IS 'Its value, checked when it is written.';
COMMENT ON COLUMN logintel.settings.description IS 'What it does and which values it takes.';
COMMENT ON COLUMN logintel.settings.pattern IS 'Regular expression that its values have to match as a whole.';
COMMENT ON COLUMN logintel.settings.hint IS 'Which values it takes, said to who gives another one.';

INSERT INTO logintel.settings (name, value, description, pattern, hint) VALUES
    ('mode', 'inline',
     'inline: every line is scored at the write. deferred: lines of known shape are, new shapes wait for the worker or backfill(). off: every line waits.',
     'inline|deferred|off', 'It takes inline, deferred or off.'),
    ('anomaly_threshold', '0.7',
     'A line is an anomaly when its anomaly score reaches this; from 0 to 1.',
     '(0(\.[0-9]{1,6})?|1(\.0{1,6})?)', 'It takes a number from 0 to 1, such as 0.75.'),
    ('classification_min_confidence', '0.6',
     'A level below this confidence is no correction; from 0 to 1.',
     '(0(\.[0-9]{1,6})?|1(\.0{1,6})?)', 'It takes a number from 0 to 1, such as 0.75.');
