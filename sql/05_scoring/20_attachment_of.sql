-- A score's key holds the number of its attachment above 40 bits of its own: what a table had as the only one are
-- numbers from 1 on, and 8,000 attachments fit into the integers that JavaScript has.
CREATE OR REPLACE FUNCTION logintel._attachment_of(score_id bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (score_id >> 40)::integer;

COMMENT ON FUNCTION logintel._attachment_of(bigint) IS 'The attachment of the log table whose lines have a score.';

CREATE OR REPLACE FUNCTION logintel._first_score_id(attachment_id integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN attachment_id::bigint << 40;

COMMENT ON FUNCTION logintel._first_score_id(integer) IS 'The keys of an attachment''s scores begin here and end before those of the next one.';

-- The line of a key that somebody names. Keys are unique within a table only.
CREATE OR REPLACE FUNCTION logintel._attachment_of_line(line_id bigint, log_table regclass) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    tables regclass[];
BEGIN
    IF log_table IS NULL AND (SELECT count(*) FROM logintel_internal.attachments) > 1 THEN
        tables := ARRAY(
            SELECT a.log_table FROM logintel_internal.attachments a
            WHERE EXISTS (SELECT FROM logintel._fetched_lines(a.id, ARRAY[line_id])) ORDER BY a.id);
        PERFORM logintel._refuse_several_tables(line_id, tables);
        RETURN (SELECT a.id FROM logintel_internal.attachments a WHERE a.log_table = tables[1]);
    END IF;
    RETURN (logintel._attachment(log_table)).id;
END
$function$;

COMMENT ON FUNCTION logintel._attachment_of_line(bigint, regclass) IS 'The attachment of the log table that has a line with this key; null where none has. Raises an error where several have and none is named.';

CREATE OR REPLACE FUNCTION logintel._refuse_several_tables(line_id bigint, tables regclass[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF cardinality(tables) > 1 THEN
        RAISE EXCEPTION 'several log tables have a line %: %', line_id, array_to_string(tables, ', ')
            USING ERRCODE = 'ambiguous_parameter', HINT = format('Say which one: log_table => %L.', tables[1]);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._refuse_several_tables(bigint, regclass[]) IS 'Raises an error that names the log tables where there are several.';
