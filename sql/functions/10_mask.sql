-- The masked message: every token that holds a digit becomes <*>. The message counts with its first 4,096 characters
-- only; counting them is left to messages that may have more. COLLATE "C" makes the result the same in every locale.
CREATE FUNCTION logintel.mask(message text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(
    CASE WHEN octet_length(message) > 4096 THEN left(message, 4096) ELSE coalesce(message, '') END COLLATE "C",
    '[^ \t\n\r\f\v]*[0-9][^ \t\n\r\f\v]*', '<*>', 'g');

COMMENT ON FUNCTION logintel.mask(text) IS 'The template of a message: its tokens that hold a digit replaced by <*>. Never null.';
