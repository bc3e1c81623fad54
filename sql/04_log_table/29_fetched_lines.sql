-- The lines of an attached table, for the upkeep: none where the attachment has ended. What asks for somebody reads
-- _log_lines().
--
-- Planning a query on a table runs what its owner wrote into its indexes, with the rights of the fetcher. That can do
-- nothing by itself, but leave something that others run later with theirs: a trigger that is deferred or a cursor that
-- is held until the commit, a setting, a right. So what was read is kept, and all else that happened meanwhile is
-- rolled back. A statement that was prepared is not, and is removed by hand.
CREATE OR REPLACE FUNCTION logintel._prepared_statements() RETURNS text[]
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN ARRAY(SELECT ROW(s.name, s.statement, s.prepare_time, s.from_sql)::text FROM pg_prepared_statements s);

COMMENT ON FUNCTION logintel._prepared_statements() IS 'The prepared statements of the session, for _deallocate_all_but().';

CREATE OR REPLACE FUNCTION logintel._deallocate_all_but(known text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT s.name FROM pg_prepared_statements s
                WHERE ROW(s.name, s.statement, s.prepare_time, s.from_sql)::text <> ALL (known) LOOP
        EXECUTE format('DEALLOCATE %I', name);
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._deallocate_all_but(text[]) IS 'Removes prepared statements that were not there when _prepared_statements() was asked.';

CREATE OR REPLACE FUNCTION logintel._roll_back() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RAISE EXCEPTION 'rolled back on purpose' USING ERRCODE = 'LI001';
END
$function$;

COMMENT ON FUNCTION logintel._roll_back() IS 'Raises what the functions _fetched_... catch when they have read.';

CREATE OR REPLACE FUNCTION logintel._fetched_lines(attachment_id integer, ids bigint[]) RETURNS TABLE (
    id bigint, "timestamp" timestamptz, level text, message text, service text, source_type text, http_status integer,
    response_time_ms double precision
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    known text[] := logintel._prepared_statements();
    is_read boolean := false;
BEGIN
    IF NOT (EXISTS (SELECT FROM logintel_internal.attachments a WHERE a.id = attachment_id) AND ids <> '{}') THEN
        RETURN;
    END IF;
    BEGIN
        RETURN QUERY SELECT * FROM logintel._fetch_lines(attachment_id, ids) l;
        is_read := true;
        PERFORM logintel._roll_back();
    EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
        PERFORM logintel._deallocate_all_but(known);
        IF NOT is_read OR SQLSTATE <> 'LI001' THEN
            RAISE;
        END IF;
    END;
END
$function$;

COMMENT ON FUNCTION logintel._fetched_lines(integer, bigint[]) IS 'The lines with these keys that are still there.';

CREATE OR REPLACE FUNCTION logintel._fetched_keys(attachment_id integer)
RETURNS TABLE (id bigint, "timestamp" timestamptz)
LANGUAGE plpgsql STABLE ROWS 1000000 SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    known text[] := logintel._prepared_statements();
    is_read boolean := false;
BEGIN
    IF NOT EXISTS (SELECT FROM logintel_internal.attachments a WHERE a.id = attachment_id) THEN
        RETURN;
    END IF;
    BEGIN
        RETURN QUERY SELECT * FROM logintel._fetch_keys(attachment_id) l;
        is_read := true;
        PERFORM logintel._roll_back();
    EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
        PERFORM logintel._deallocate_all_but(known);
        IF NOT is_read OR SQLSTATE <> 'LI001' THEN
            RAISE;
        END IF;
    END;
END
$function$;

COMMENT ON FUNCTION logintel._fetched_keys(integer) IS 'The keys and times of all lines.';

CREATE OR REPLACE FUNCTION logintel._fetched_count(attachment_id integer, most bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    found bigint := 0;
    known text[] := logintel._prepared_statements();
    is_read boolean := false;
BEGIN
    IF NOT EXISTS (SELECT FROM logintel_internal.attachments a WHERE a.id = attachment_id) THEN
        RETURN found;
    END IF;
    BEGIN
        found := logintel._fetch_count(attachment_id, most);
        is_read := true;
        PERFORM logintel._roll_back();
    EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
        PERFORM logintel._deallocate_all_but(known);
        IF NOT is_read OR SQLSTATE <> 'LI001' THEN
            RAISE;
        END IF;
    END;
    RETURN found;
END
$function$;

COMMENT ON FUNCTION logintel._fetched_count(integer, bigint) IS 'How many lines there are, counted up to most, null for all.';

CREATE OR REPLACE FUNCTION logintel._fetched_any(
    attachment_id integer, from_time timestamptz, to_time timestamptz
) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    found boolean := false;
    known text[] := logintel._prepared_statements();
    is_read boolean := false;
BEGIN
    IF NOT EXISTS (SELECT FROM logintel_internal.attachments a WHERE a.id = attachment_id) THEN
        RETURN found;
    END IF;
    BEGIN
        found := logintel._fetch_any(attachment_id, from_time, to_time);
        is_read := true;
        PERFORM logintel._roll_back();
    EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
        PERFORM logintel._deallocate_all_but(known);
        IF NOT is_read OR SQLSTATE <> 'LI001' THEN
            RAISE;
        END IF;
    END;
    RETURN found;
END
$function$;

COMMENT ON FUNCTION logintel._fetched_any(integer, timestamptz, timestamptz) IS 'Whether there are lines of a time.';

CREATE OR REPLACE FUNCTION logintel._fetched_timeless(attachment_id integer) RETURNS TABLE (id bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    known text[] := logintel._prepared_statements();
    is_read boolean := false;
BEGIN
    IF NOT EXISTS (SELECT FROM logintel_internal.attachments a WHERE a.id = attachment_id) THEN
        RETURN;
    END IF;
    BEGIN
        RETURN QUERY SELECT * FROM logintel._fetch_timeless(attachment_id) l;
        is_read := true;
        PERFORM logintel._roll_back();
    EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
        PERFORM logintel._deallocate_all_but(known);
        IF NOT is_read OR SQLSTATE <> 'LI001' THEN
            RAISE;
        END IF;
    END;
END
$function$;

COMMENT ON FUNCTION logintel._fetched_timeless(integer) IS 'The lines that have no time in the years 1 to 9999.';

CREATE OR REPLACE FUNCTION logintel._fetched_first_look(attachment_id integer) RETURNS TABLE (
    lines bigint, examples jsonb, unknown_levels text
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    known text[] := logintel._prepared_statements();
    is_read boolean := false;
BEGIN
    BEGIN
        RETURN QUERY SELECT * FROM logintel._fetch_first_look(attachment_id) l;
        is_read := true;
        PERFORM logintel._roll_back();
    EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
        PERFORM logintel._deallocate_all_but(known);
        IF NOT is_read OR SQLSTATE <> 'LI001' THEN
            RAISE;
        END IF;
    END;
END
$function$;

COMMENT ON FUNCTION logintel._fetched_first_look(integer) IS 'How many of the first thousand lines there are, an example of each field in them, and spellings that are no levels.';

CREATE OR REPLACE FUNCTION logintel._fetched_double_key(attachment_id integer) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    found bigint;
    known text[] := logintel._prepared_statements();
    is_read boolean := false;
BEGIN
    BEGIN
        found := logintel._fetch_double_key(attachment_id);
        is_read := true;
        PERFORM logintel._roll_back();
    EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
        PERFORM logintel._deallocate_all_but(known);
        IF NOT is_read OR SQLSTATE <> 'LI001' THEN
            RAISE;
        END IF;
    END;
    RETURN found;
END
$function$;

COMMENT ON FUNCTION logintel._fetched_double_key(integer) IS 'A key that several lines have; null where there is none.';
