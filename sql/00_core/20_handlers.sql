-- The core names no capability. A capability adds a function whose name says when it runs: _task_NNN_... is a task of
-- the upkeep, _check_NNN_... a check of doctor(), _on_EVENT_NNN_... runs when the core announces the event. Three kinds
-- are asked: _follower_sets_NNN_...() for model sets that answer beside the one in force, _laid_out_sets_NNN_...() for
-- sets that SQL is to be able to ask, _kept_scores_NNN_...(ids) for scores that are not to be removed. They run in the
-- order of their numbers, which begin with that of the capability's folder. Only functions of the owner of logintel's
-- own tables, or of a superuser, count: nothing that somebody else made in this schema is ever run.
CREATE OR REPLACE FUNCTION logintel._handlers(kind text) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT p.proname
    FROM pg_proc p
    JOIN pg_class c ON c.oid = 'logintel_internal.locks'::regclass
    WHERE p.pronamespace = 'logintel'::regnamespace
      AND (c.relowner = p.proowner OR (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = p.proowner))
      AND p.proname >= format('_%s_', kind)::name  -- by the index; ` follows _
      AND p.proname < format('_%s`', kind)::name
      AND substr(p.proname::text, length(kind) + 3) ~ '^[0-9]{3}_'
    ORDER BY p.proname COLLATE "C";
$function$;

COMMENT ON FUNCTION logintel._handlers(text) IS 'Names of the functions that capabilities bring for a kind: task, check, on_EVENT, follower_sets, laid_out_sets or kept_scores.';

CREATE OR REPLACE FUNCTION logintel._handler_words(handler text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN translate(regexp_replace(handler, '^.*?_[0-9]{3}_', ''), '_', ' ');

COMMENT ON FUNCTION logintel._handler_words(text) IS 'What a handler is called for people: the words of its name.';

CREATE OR REPLACE FUNCTION logintel._announce(event text, subject bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    handler text;
BEGIN
    FOREACH handler IN ARRAY ARRAY(SELECT logintel._handlers('on_' || event)) LOOP
        EXECUTE format('SELECT logintel.%I($1)', handler) USING subject;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._announce(text, bigint) IS 'Runs what capabilities bring for an event; subject is the id of what the event is about.';

CREATE OR REPLACE FUNCTION logintel._sets_of_handlers(kind text) RETURNS integer[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    handler text;
    more integer[];
    sets integer[] := '{}';
BEGIN
    FOR handler IN SELECT logintel._handlers(kind) LOOP
        EXECUTE format('SELECT ARRAY(SELECT logintel.%I())', handler) INTO more;
        sets := sets || more;
    END LOOP;
    RETURN sets;
END
$function$;

COMMENT ON FUNCTION logintel._sets_of_handlers(text) IS 'The model sets that capabilities name for a kind: follower_sets or laid_out_sets.';
