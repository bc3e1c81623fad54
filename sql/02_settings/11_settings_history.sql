-- Every change of a setting, by whomever: a trigger on settings writes it. What a restore brings along is no change.
CREATE TABLE logintel_internal.settings_history (
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    old_value text NOT NULL,
    new_value text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL DEFAULT session_user,
    why text,
    CONSTRAINT settings_history_pkey PRIMARY KEY (id)
);
CREATE INDEX settings_history_name_idx ON logintel_internal.settings_history (name, id);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.settings_history', '');
SELECT pg_catalog.pg_extension_config_dump('logintel_internal.settings_history_id_seq', '');

COMMENT ON TABLE logintel_internal.settings_history IS 'Every change of a setting.';
COMMENT ON COLUMN logintel_internal.settings_history.id IS 'Order of the changes.';
COMMENT ON COLUMN logintel_internal.settings_history.name IS 'The setting.';
COMMENT ON COLUMN logintel_internal.settings_history.old_value IS 'Its value before.';
COMMENT ON COLUMN logintel_internal.settings_history.new_value IS 'Its value from then on.';
COMMENT ON COLUMN logintel_internal.settings_history.changed_at IS 'When.';
COMMENT ON COLUMN logintel_internal.settings_history.changed_by IS 'By which role.';
COMMENT ON COLUMN logintel_internal.settings_history.why IS 'Why, in the words of whoever did it; null where nothing was said.';
