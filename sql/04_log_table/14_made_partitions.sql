-- Which partitions of log tables logintel made: it never drops any other. Names say nothing, and a table that is no
-- partition any more is its owner's archive.
CREATE TABLE logintel_internal.made_partitions (
    partition regclass NOT NULL,
    day date NOT NULL,
    CONSTRAINT made_partitions_pkey PRIMARY KEY (partition)
);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.made_partitions', '');

COMMENT ON TABLE logintel_internal.made_partitions IS 'The daily partitions of log tables that logintel made.';
COMMENT ON COLUMN logintel_internal.made_partitions.partition IS 'The partition.';
COMMENT ON COLUMN logintel_internal.made_partitions.day IS 'Its day, UTC.';
