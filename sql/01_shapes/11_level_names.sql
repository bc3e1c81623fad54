-- What sources call their levels. A user's own spellings are rows like any other and survive a dump; the shipped ones
-- come with the extension.
CREATE TABLE logintel.level_names (
    name text NOT NULL,
    level text NOT NULL,
    shipped boolean NOT NULL DEFAULT false,
    CONSTRAINT level_names_pkey PRIMARY KEY (name),
    CONSTRAINT level_names_name_check CHECK (name = lower(btrim(name))),
    CONSTRAINT level_names_level_fkey FOREIGN KEY (level) REFERENCES logintel.levels (level)
);

SELECT pg_catalog.pg_extension_config_dump('logintel.level_names', 'WHERE NOT shipped');

COMMENT ON TABLE logintel.level_names IS 'Spellings of log levels and the level each one stands for. Add rows for the spellings of your own sources.';
COMMENT ON COLUMN logintel.level_names.name IS 'The spelling, in lower case and without surrounding spaces.';
COMMENT ON COLUMN logintel.level_names.level IS 'The level that the spelling stands for.';
COMMENT ON COLUMN logintel.level_names.shipped IS 'True for the spellings that come with the extension.';

INSERT INTO logintel.level_names (level, name, shipped)
SELECT spelling.level, name, true
FROM (VALUES
    ('DEBUG', 'debug debug1 debug2 debug3 debug4 debug5 dbg d trace trc t verbose v fine finer finest 7 10 20'),
    ('INFO', 'info information informational inf i notice n config log success ok 5 6 30'),
    ('WARN', 'warn warning wrn w 4 40'),
    ('ERROR', 'error err e severe failure 3 50'),
    ('FATAL', 'fatal ftl f critical crit c alert emerg emergency panic assert a 0 1 2 60')
) AS spelling (level, names), string_to_table(spelling.names, ' ') AS name;
