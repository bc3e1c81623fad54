-- What scores lines: the newest row is in force. Deployments and tests write it; the write path and all others that score
-- lines read it alone, under their own snapshot, so a change is visible exactly when it commits.
CREATE TABLE logintel_internal.serving (
    id integer GENERATED ALWAYS AS IDENTITY,
    model_set_id integer NOT NULL,
    test_id integer,
    share double precision,
    challenger_set_id integer,
    shadow_set_ids integer[] NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT serving_pkey PRIMARY KEY (id),
    CONSTRAINT serving_split_check CHECK (num_nulls(test_id, share, challenger_set_id) IN (0, 3)),
    CONSTRAINT serving_share_check CHECK (share > 0 AND share < 1)
);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.serving', '');
SELECT pg_catalog.pg_extension_config_dump('logintel_internal.serving_id_seq', '');

COMMENT ON TABLE logintel_internal.serving IS 'What scores lines, and what did before; the row with the highest id is in force.';
COMMENT ON COLUMN logintel_internal.serving.id IS 'Order of the rows.';
COMMENT ON COLUMN logintel_internal.serving.model_set_id IS 'The model set in force.';
COMMENT ON COLUMN logintel_internal.serving.test_id IS 'The test that splits the lines, which decides with the key of a line who serves it; null without one.';
COMMENT ON COLUMN logintel_internal.serving.share IS 'Share of the lines that the challenger of this test serves.';
COMMENT ON COLUMN logintel_internal.serving.challenger_set_id IS 'The set that serves this share.';
COMMENT ON COLUMN logintel_internal.serving.shadow_set_ids IS 'Sets that score the same shapes beside the set in force and serve no line.';
COMMENT ON COLUMN logintel_internal.serving.since IS 'Since when.';
