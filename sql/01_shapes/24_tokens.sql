-- The features of a shape that linear models read, as logintel_server/tokens.py makes them for training: the same
-- tokens for any text, which tests hold both to. Which characters are letters, spaces or punctuation is listed here and
-- there, because collations and versions of Unicode differ.

-- Words of text that is ASCII: letters alone, camelCase and acronyms taken apart, masks and classes of codes kept. The
-- characters \x01 to \x09 stand for these.
CREATE OR REPLACE FUNCTION logintel._ascii_tokens(text text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    classes CONSTANT text[] := '{<*>,<0>,<nonzero>,<fatal>,<1xx>,<2xx>,<3xx>,<4xx>,<5xx>}';
    letters text COLLATE "C" := replace(translate(text, E'\x01\x02\x03\x04\x05\x06\x07\x08\x09', '         '),
                                        '<*>', E' \x01 ');
    has_classes boolean := letters ~ '<(0|nonzero|fatal|[1-5]xx)>';
BEGIN
    IF has_classes THEN
        FOR i IN 2..9 LOOP
            letters := replace(letters, classes[i], ' ' || chr(i) || ' ');
        END LOOP;
    END IF;
    letters := regexp_replace(letters, E'[^A-Za-z\x01-\x09]+', ' ', 'g');
    IF letters ~ '[a-z][A-Z]|[A-Z][A-Z][a-z]' THEN
        letters := regexp_replace(regexp_replace(letters, '([a-z])([A-Z])', E'\\1 \\2', 'g'),
                                  '([A-Z])([A-Z][a-z])', E'\\1 \\2', 'g');
    END IF;
    letters := replace(lower(btrim(letters)), E'\x01', '<*>');
    IF has_classes THEN
        FOR i IN 2..9 LOOP
            letters := replace(letters, chr(i), classes[i]);
        END LOOP;
    END IF;
    RETURN string_to_array(letters, ' ');
END
$function$;

COMMENT ON FUNCTION logintel._ascii_tokens(text) IS 'The words of a text in ASCII, in lower case.';


-- A chunk is a run of letters that have a case, one character of a script without spaces or one pictograph, a run of
-- other letters, a mask, or a class of codes.
CREATE OR REPLACE FUNCTION logintel._unicode_tokens(text text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    -- Quoted by dollars: no session's standard_conforming_strings takes these backslashes for its own.
    cased CONSTANT text := $re$\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u058f\u1e00-\u1fff$re$;
    single CONSTANT text := $re$\u2600-\u27bf\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff$re$
        || $re$\U0001f300-\U0001faff\U00020000-\U0003ffff$re$;
    breaks CONSTANT text := $re$\x01-\x7f\u0080-\u00b4\u00b6-\u00bf\u00d7\u00f7\u1680\u180e\u2000-\u206f$re$
        || $re$\u2190-\u25ff\u27c0-\u2bff\u3000-\u303f\ud800-\uf8ff\ufe00-\ufe1f\ufe30-\ufe6f$re$
        || $re$\ufeff-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffff\U000e0000-\U0010ffff$re$;
    chunk text;
    tokens text[] := '{}';
BEGIN
    FOR chunk IN SELECT (regexp_matches(text COLLATE "C", format('[A-Za-z%1$s]+|[%2$s]|[^%3$s%1$s%2$s]+'
            '|<(?:[*]|0|nonzero|fatal|[1-5]xx)>', cased, single, breaks), 'g'))[1] LOOP
        IF octet_length(chunk) = length(chunk) THEN
            tokens := tokens || logintel._ascii_tokens(chunk);
        ELSE
            tokens := tokens || logintel._lower_case(chunk);
        END IF;
    END LOOP;
    RETURN tokens;
END
$function$;

COMMENT ON FUNCTION logintel._unicode_tokens(text) IS 'The words of any text, in lower case; scripts without spaces give a word a character.';


CREATE OR REPLACE FUNCTION logintel._tokens(text text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    spelt_out text := replace(text, 'n''t', ' not');
BEGIN
    IF octet_length(spelt_out) = length(spelt_out) THEN
        RETURN (logintel._ascii_tokens(spelt_out))[:256];
    END IF;
    RETURN (logintel._unicode_tokens(spelt_out))[:256];
END
$function$;

COMMENT ON FUNCTION logintel._tokens(text) IS 'The words of a text as models know them, at most 256.';


-- What a value is as one token: no space and no control character in it.
CREATE OR REPLACE FUNCTION logintel._one_token(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(value COLLATE "C",
    '[\x01-\x20\x7f-\xa0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ud800-\udfff\ufeff]+', '_', 'g');

COMMENT ON FUNCTION logintel._one_token(text) IS 'A value as one token, without spaces.';


-- Numbers in the name of a service count its instances: another instance is no other service.
CREATE OR REPLACE FUNCTION logintel._context_tokens(
    service text, source_type text, status_class text, latency_bucket text
) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    tokens text[] := '{}';
BEGIN
    IF service <> '' THEN
        tokens := ARRAY['service=' || regexp_replace(logintel._one_token(left(service, 128)), '[0-9]+', '#', 'g')]
                  || ARRAY(SELECT 'svc:' || t FROM unnest(logintel._tokens(left(service, 128))) AS t);
    END IF;
    IF source_type <> '' THEN
        tokens := tokens || ('source=' || logintel._one_token(left(source_type, 128)));
    END IF;
    IF status_class <> '' THEN
        tokens := tokens || ('status=' || logintel._one_token(left(status_class, 128)));
    END IF;
    IF latency_bucket <> '' THEN
        tokens := tokens || ('latency=' || logintel._one_token(left(latency_bucket, 128)));
    END IF;
    RETURN tokens;
END
$function$;

COMMENT ON FUNCTION logintel._context_tokens(text, text, text, text) IS 'Tokens for all that a line says of itself beside its message, but never for its level.';


-- As digest() in logintel_server/tokens.py. A database without an encoding has bytes for characters, and converts
-- nothing.
CREATE OR REPLACE FUNCTION logintel._template_digest(template text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN left(md5(convert_to(template,
                           CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END)), 16);

COMMENT ON FUNCTION logintel._template_digest(text) IS 'What a baseline keeps of a template.';
