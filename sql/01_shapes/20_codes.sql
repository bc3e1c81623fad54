-- Codes that say how something ended stay in a template as classes. Blanks and words are the same in message and
-- template, so the place of a code is found by what stands before it; where that was masked there is none. A message
-- that is a template has classes already: they stay. All by string functions: a regular expression that knew this would
-- cost five times as much.

-- A number alone is a code: nothing that goes on behind it.
CREATE OR REPLACE FUNCTION logintel._status_code_class(code text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN left(code, 1) COLLATE "C" BETWEEN '1' AND '5' AND rtrim(left(code, 3), '0123456789') = '' AND length(code) >= 3
         AND ltrim(substr(code, 4, 1), 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_%/-')
             = substr(code, 4, 1)
    THEN '<' || left(code, 1) || 'xx>'
    WHEN left(code, 5) IN ('<1xx>', '<2xx>', '<3xx>', '<4xx>', '<5xx>') THEN left(code, 5) END;

COMMENT ON FUNCTION logintel._status_code_class(text) IS 'The class of the HTTP status code that a text begins with, as <5xx>; null where it does not.';

CREATE OR REPLACE FUNCTION logintel._exit_code_class(code text, is_signal boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    number text COLLATE "C" := left(code, length(code) - length(ltrim(code, '0123456789abcdefABCDEFx')));
BEGIN
    RETURN CASE
        WHEN left(code, 3) = '<0>' THEN '<0>'
        WHEN left(number, 1) NOT BETWEEN '0' AND '9' THEN NULL
        WHEN substr(code, length(number) + 1, 1) COLLATE "C" ~ '[A-Za-z0-9_%/-]' THEN NULL
        WHEN is_signal THEN CASE WHEN number = ANY ('{3,4,5,6,7,8,9,11,24,25,31}') THEN '<fatal>' END
        WHEN ltrim(number, '0x') = '' THEN '<0>'
        ELSE '<nonzero>' END;
END
$function$;

COMMENT ON FUNCTION logintel._exit_code_class(text, boolean) IS 'The class of the exit code, errno or signal that a text begins with; null where it has none.';

CREATE OR REPLACE FUNCTION logintel._with_class(template text, before text, code text, class text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN strpos(template, before || CASE WHEN left(code, 1) = '<' THEN '<<*>>' ELSE '<*>' END) > 0
            THEN overlay(template PLACING before || class
                         FROM strpos(template, before || CASE WHEN left(code, 1) = '<' THEN '<<*>>' ELSE '<*>' END)
                         FOR length(before) + CASE WHEN left(code, 1) = '<' THEN 5 ELSE 3 END)
            ELSE template END;

COMMENT ON FUNCTION logintel._with_class(text, text, text, text) IS 'A template with a class in the place of the first mask behind some text.';

-- Exit codes and errno are 0 or not; of signals only those are told that no program survives.
CREATE OR REPLACE FUNCTION logintel._with_exit_codes(template text, message text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    -- What belongs to a run that is masked, when it stands right before a digit.
    before_digits CONSTANT text := 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.@#%+*$!~^-';
    told text COLLATE "C" := template;
    word text;
    behind text COLLATE "C";
    code text COLLATE "C";
    class text;
BEGIN
    FOREACH word IN ARRAY ARRAY['xit', 'rrno', 'gnal'] LOOP
        FOREACH behind IN ARRAY (string_to_array(message, word))[2:] LOOP
            code := ltrim(behind, CASE word WHEN 'xit' THEN ' "''=:(\>_-edwithxcosaulvCS' ELSE ' "''=:(\>-' END);
            class := logintel._exit_code_class(left(code, 100), word = 'gnal');
            IF class IS NOT NULL THEN
                told := logintel._with_class(
                    told, word || rtrim(left(behind, length(behind) - length(code)), before_digits), code, class);
            END IF;
        END LOOP;
    END LOOP;
    RETURN told;
END
$function$;

COMMENT ON FUNCTION logintel._with_exit_codes(text, text) IS 'The template of a message with classes for its exit codes, errno and signals.';

-- In a request, a status code stands behind its path and protocol.
CREATE OR REPLACE FUNCTION logintel._with_answer(template text, message text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    request text COLLATE "C" := substr(message, strpos(message, 'T /'));
    fields integer := CASE WHEN split_part(request, ' ', 3) LIKE 'HTTP/%' THEN 3 ELSE 2 END;
    code text := split_part(request, ' ', fields + 1);
    class text := logintel._status_code_class(code);
    before text;
BEGIN
    IF class IS NULL OR strpos(template, 'T /') = 0
       OR substr(message, strpos(message, 'T /') - 2, 3) NOT IN ('GET', 'OST', 'PUT') THEN
        RETURN template;
    END IF;
    before := substr(template, strpos(template, 'T /'));
    before := array_to_string((string_to_array(before, ' '))[:fields], ' ') || ' ';
    RETURN logintel._with_class(template, before, code, class);
END
$function$;

COMMENT ON FUNCTION logintel._with_answer(text, text) IS 'The template of a message with a class for the HTTP status code of a request.';
