-- The masked message. A run of what identifiers and numbers are made of, in ASCII, becomes <*> where it holds a digit:
-- so a text without blanks, a key, a word of a path stay. Before its first digit a run ends at a colon, which keeps
-- error:17 apart from disk:17; behind it, lists and ids behind a slash belong to it. Codes that say how something ended
-- become classes: see _mask_with_codes().
--
-- The message counts with its first 4,096 characters only; counting them is left to messages that may have more.
-- COLLATE "C" makes the result the same in every locale. This is the hot path: each state of a regular expression and
-- each word looked for costs every line. The planner inlines it. loader/logintel/defaults/masks.py does the same, and a
-- test compares the two.
CREATE OR REPLACE FUNCTION logintel._mask_text(message text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN message COLLATE "C" LIKE ANY (ARRAY['%xit%', '%tatus%', '%T /%', '%rrno%', '%gnal%', E'%\x1b%'])
    THEN logintel._mask_with_codes(message)
    ELSE regexp_replace(message COLLATE "C",
        '[A-Za-z_.@#%+*$!~^-]*[0-9](?:[,/][A-Za-z_.@#%+*$!~^-]*[0-9]|[A-Za-z0-9_.@#%+*$!~^:-])*', '<*>', 'g') END;

COMMENT ON FUNCTION logintel._mask_text(text) IS 'The template of a message of at most 4,096 characters.';

CREATE OR REPLACE FUNCTION logintel.mask(message text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN logintel._mask_text(
    CASE WHEN octet_length(message) > 4096 THEN left(message, 4096) ELSE coalesce(message, '') END);

COMMENT ON FUNCTION logintel.mask(text) IS 'The template of a message: what holds a digit in it replaced by <*>, codes that say how something ended by their class. Never null.';
