-- Behind a word, after what may stand between, a number alone is a code: of HTTP, three digits, <1xx> to <5xx>; <fatal>
-- where it is that of a signal which no program survives; else <0> or <nonzero>. A class stays one, so that a template
-- is its own template; that is also why the word may not be part of a run that is masked. In a request and behind HTTP/
-- the code follows the next blank.
CREATE OR REPLACE FUNCTION logintel._mark_codes(message text, word text, fillers text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    run CONSTANT text := 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@#%+*$!~^:-';
    goes_on CONSTANT text := 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_%/-';
    is_status CONSTANT boolean := word IN ('tatus', 'T /', 'HTTP');
    parts text[] COLLATE "C" := string_to_array(message, word);
    glued text COLLATE "C";
    behind text COLLATE "C";
    number text COLLATE "C";
    class text;
BEGIN
    FOR i IN 2 .. cardinality(parts) LOOP
        glued := substr(parts[i - 1], length(rtrim(parts[i - 1], run)) + 1);
        behind := ltrim(CASE WHEN word = 'T /' OR word = 'HTTP' AND left(parts[i], 1) = '/'
                             THEN substr(parts[i], nullif(strpos(parts[i], ' '), 0)) ELSE parts[i] END, fillers);
        CONTINUE WHEN behind IS NULL OR translate(glued, '0123456789', '') <> glued
                   OR word = 'T /' AND glued NOT IN ('GE', 'POS', 'PU');
        number := left(behind, length(behind) - length(ltrim(behind, CASE WHEN is_status THEN '0123456789'
                                                                         ELSE '0123456789abcdefABCDEFx' END)));
        class := CASE
            WHEN is_status AND left(behind, 5) IN ('<1xx>', '<2xx>', '<3xx>', '<4xx>', '<5xx>') THEN left(behind, 5)
            WHEN NOT is_status AND left(behind, 3) = '<0>' THEN '<0>'
            WHEN number < '0' OR number > '9~'
                 OR ltrim(substr(behind, length(number) + 1, 1), goes_on) <> substr(behind, length(number) + 1, 1) THEN NULL
            WHEN is_status AND length(number) = 3 AND number BETWEEN '100' AND '599' THEN '<' || left(number, 1) || 'xx>'
            WHEN is_status THEN NULL
            WHEN word = 'gnal' AND number IN ('3', '4', '5', '6', '7', '8', '9', '11', '24', '25', '31') THEN '<fatal>'
            WHEN word = 'gnal' THEN NULL
            WHEN ltrim(number, '0xX') = '' THEN '<0>'
            ELSE '<nonzero>' END;
        IF class IS NOT NULL THEN
            parts[i] := left(parts[i], -length(behind)) || replace(class, '<', E'<\x02')
                        || substr(behind, CASE WHEN left(behind, 1) = '<' THEN length(class) ELSE length(number) END + 1);
        END IF;
    END LOOP;
    RETURN array_to_string(parts, word);
END
$function$;

COMMENT ON FUNCTION logintel._mark_codes(text, text, text) IS 'A message with classes, behind \x02, for the codes that follow a word; fillers has the characters that may stand between them.';

-- The template of a message that may have a code or a colour: see _mask_text(). Colours go. A class that stands behind \x02 is none of the
-- runs that are masked. String functions, because a regular expression that knew all this would cost twenty times as
-- much.
CREATE OR REPLACE FUNCTION logintel._mask_with_codes(message text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    marked text COLLATE "C" := replace(message, E'\x02', '');
BEGIN
    IF strpos(marked, E'\x1b') > 0 THEN
        marked := regexp_replace(marked, '\x1b\[[0-9;:]*[A-Za-z]|\x1b', '', 'g');
    END IF;
    IF strpos(marked, 'xit') > 0 THEN
        marked := logintel._mark_codes(marked, 'xit', ' "''=:(\>_-edwithcosaulvCS');
    END IF;
    IF strpos(marked, 'rrno') > 0 THEN
        marked := logintel._mark_codes(marked, 'rrno', ' "''=:(\>');
    END IF;
    IF strpos(marked, 'gnal') > 0 THEN
        marked := logintel._mark_codes(marked, 'gnal', ' "''=:(\>');
    END IF;
    IF strpos(marked, 'tatus') > 0 THEN
        marked := logintel._mark_codes(marked, 'tatus', ' "''=:(\>_-codeC');
    END IF;
    IF strpos(marked, 'T /') > 0 THEN
        marked := logintel._mark_codes(marked, 'T /', ' "''=:(\>-');
    END IF;
    IF strpos(marked, 'HTTP') > 0 THEN
        marked := logintel._mark_codes(marked, 'HTTP', ' "''=:(\>_-erostaucd');
    END IF;
    RETURN replace(regexp_replace(marked,
        '(?<!\x02)[A-Za-z_.@#%+*$!~^-]*[0-9](?:[,/][A-Za-z_.@#%+*$!~^-]*[0-9]|[A-Za-z0-9_.@#%+*$!~^:-])*', '<*>', 'g'),
        E'\x02', '');
END
$function$;

COMMENT ON FUNCTION logintel._mask_with_codes(text) IS 'The template of a message that may have a code or a colour.';
