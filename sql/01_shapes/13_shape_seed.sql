-- Lines find their score by a hash, and a hash that everybody can compute is one that somebody can forge: twelve
-- bytes at the end of a message would give it the score of any other. So it is made with a secret, which a dump
-- carries along, because scores are kept by these hashes.
CREATE TABLE logintel_internal.shape_seed (
    one_row boolean NOT NULL DEFAULT true,
    seed bigint NOT NULL,
    CONSTRAINT shape_seed_pkey PRIMARY KEY (one_row),
    CONSTRAINT shape_seed_one_row_check CHECK (one_row)
);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.shape_seed', '');

COMMENT ON TABLE logintel_internal.shape_seed IS 'The secret that hashes of shapes are made with: one row. change_shape_seed() makes another.';
COMMENT ON COLUMN logintel_internal.shape_seed.one_row IS 'Always true: there is one row.';
COMMENT ON COLUMN logintel_internal.shape_seed.seed IS 'The secret; 0 in a database of release 0.1.0 that has none yet.';
