-- The template of a message that may have a code or a colour: see mask(). Colours go.
CREATE OR REPLACE FUNCTION logintel._mask_with_codes(message text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    plain text COLLATE "C" := message;
    template text COLLATE "C";
    before text COLLATE "C";
    code text COLLATE "C";
    class text;
    at integer;
BEGIN
    IF strpos(plain, E'\x1b') > 0 THEN
        plain := regexp_replace(plain, '\x1b\[[0-9;:]*[A-Za-z]|\x1b', '', 'g');
    END IF;
    template := regexp_replace(plain,
        '[A-Za-z_.@#%+*$!~^-]*[0-9](?:[,/][A-Za-z_.@#%+*$!~^-]*[0-9]|[A-Za-z0-9_.@#%+*$!~^:-])*', '<*>', 'g');
    IF plain LIKE ANY (ARRAY['%xit%', '%rrno%', '%gnal%']) THEN
        template := logintel._with_exit_codes(template, plain);
    END IF;
    at := strpos(plain, 'tatus');
    IF at > 0 THEN  -- HTTP status codes behind the first "status"
        before := substr(plain, at, 32);
        code := ltrim(substr(before, 6), ' "''=:(\>-_codeC');
        class := logintel._status_code_class(code);
        IF class IS NOT NULL THEN
            before := left(before, length(before) - length(code));
            template := replace(
                template, before || CASE WHEN left(code, 1) = '<' THEN '<<*>>' ELSE '<*>' END, before || class);
        END IF;
    ELSIF strpos(plain, 'T /') > 0 THEN
        template := logintel._with_answer(template, plain);
    END IF;
    RETURN template;
END
$function$;

COMMENT ON FUNCTION logintel._mask_with_codes(text) IS 'The template of a message that may have a code or a colour.';

-- The masked message. A run of what identifiers and numbers are made of, in ASCII, becomes <*> where it holds a digit:
-- so a text without blanks, a key, a word of a path stay. Before its first digit a run ends at a colon, which keeps
-- error:17 apart from disk:17; behind it, lists and ids behind a slash belong to it. Codes that say how something ended
-- become classes (20_codes.sql).
--
-- The message counts with its first 4,096 characters only; counting them is left to messages that may have more.
-- COLLATE "C" makes the result the same in every locale. This is the hot path, and the planner inlines it: each state
-- of the regular expression and each word looked for costs every line. loader/logintel/defaults/masks.py does the same,
-- and a test compares the two.
CREATE OR REPLACE FUNCTION logintel.mask(message text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN octet_length(message) > 4096 THEN logintel._mask_with_codes(left(message, 4096))
    WHEN message COLLATE "C" LIKE ANY (ARRAY['%tatus%', '%T /%', '%xit%', '%rrno%', '%gnal%', E'%\x1b%'])
    THEN logintel._mask_with_codes(message)
    ELSE regexp_replace(coalesce(message, '') COLLATE "C",
        '[A-Za-z_.@#%+*$!~^-]*[0-9](?:[,/][A-Za-z_.@#%+*$!~^-]*[0-9]|[A-Za-z0-9_.@#%+*$!~^:-])*', '<*>', 'g') END;

COMMENT ON FUNCTION logintel.mask(text) IS 'The template of a message: what holds a digit in it replaced by <*>, codes that say how something ended by their class. Never null.';
