-- The masked message: every token that holds a digit becomes <*>. The message counts with its first 4,096 characters
-- only. COLLATE "C" makes the result the same in every locale.
CREATE FUNCTION logintel.mask(message text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(
    left(coalesce(message, ''), 4096) COLLATE "C", '[^ \t\n\r\f\v]*[0-9][^ \t\n\r\f\v]*', '<*>', 'g');

COMMENT ON FUNCTION logintel.mask(text) IS 'The template of a message: its tokens that hold a digit replaced by <*>. Never null.';
