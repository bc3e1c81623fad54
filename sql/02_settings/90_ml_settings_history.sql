CREATE OR REPLACE VIEW logintel.ml_settings_history AS
SELECT h.id, h.changed_at, h.changed_by, h.name, h.old_value, h.new_value, h.why
FROM logintel_internal.settings_history h
ORDER BY h.id DESC;

COMMENT ON VIEW logintel.ml_settings_history IS 'Every change of a setting, newest first.';
COMMENT ON COLUMN logintel.ml_settings_history.id IS 'Order of the changes.';
COMMENT ON COLUMN logintel.ml_settings_history.changed_at IS 'When.';
COMMENT ON COLUMN logintel.ml_settings_history.changed_by IS 'By which role.';
COMMENT ON COLUMN logintel.ml_settings_history.name IS 'The setting.';
COMMENT ON COLUMN logintel.ml_settings_history.old_value IS 'Its value before.';
COMMENT ON COLUMN logintel.ml_settings_history.new_value IS 'Its value from then on.';
COMMENT ON COLUMN logintel.ml_settings_history.why IS 'Why, where somebody said it.';
