-- Lower case is that of a name of a level, whatever the language of the database makes of an I. Colours, also where the
-- escape character got lost, and what stands around a name, as in [ERROR] or <info>:, are no part of it; the minus of a
-- number is. Most names need none of that.
CREATE OR REPLACE FUNCTION logintel._level_name(level text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(translate(
    CASE WHEN level ~ '^[A-Za-z0-9]*$' THEN level
         ELSE regexp_replace(regexp_replace(level, '\x1b?\[[0-9;]*m', '', 'g'),
                             '^(?:(?!-[0-9])[\x01-/:-@[-`{-\x7f])+|[\x01-/:-@[-`{-\x7f]+$', '', 'g') END, 'I', 'i'));

COMMENT ON FUNCTION logintel._level_name(text) IS 'A spelling of a level as level_names has it: in lower case, without colours and brackets.';

-- Anybody may ask it, so it reads level_names with its owner's rights. The planner inlines no scalar function that reads
-- a table (4 microseconds a call, with the caller's rights 3): a query over many rows joins level_names, as _scores_now
-- does.
CREATE OR REPLACE FUNCTION logintel.normalize_level(name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT n.level FROM logintel.level_names n WHERE n.name = logintel._level_name(normalize_level.name));

COMMENT ON FUNCTION logintel.normalize_level(text) IS 'The level that a spelling stands for (DEBUG, INFO, WARN, ERROR, FATAL); null for an unknown one. Spellings are in level_names.';
