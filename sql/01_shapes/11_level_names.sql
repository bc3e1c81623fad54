-- What sources call their levels. A user's own spellings survive a dump; the shipped ones come with the extension
-- (81_ship_level_names.sql).
CREATE TABLE logintel.level_names (
    name text NOT NULL,
    level text NOT NULL,
    shipped boolean NOT NULL DEFAULT false,
    CONSTRAINT level_names_pkey PRIMARY KEY (name),
    CONSTRAINT level_names_name_check CHECK (name <> ''),
    CONSTRAINT level_names_level_fkey FOREIGN KEY (level) REFERENCES logintel_internal.levels (level)
);

SELECT pg_catalog.pg_extension_config_dump('logintel.level_names', 'WHERE NOT shipped');

COMMENT ON TABLE logintel.level_names IS 'Spellings of log levels and the level each one stands for. Add rows for the spellings of your own sources: they take the place of shipped ones.';
COMMENT ON COLUMN logintel.level_names.name IS 'The spelling, in lower case and without what decorates it.';
COMMENT ON COLUMN logintel.level_names.level IS 'The level that the spelling stands for.';
COMMENT ON COLUMN logintel.level_names.shipped IS 'True for the spellings that come with the extension.';
