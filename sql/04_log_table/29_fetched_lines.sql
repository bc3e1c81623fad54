-- The lines of the attached table, for the upkeep: none where no table is attached. What asks for somebody reads
-- _log_lines().
CREATE OR REPLACE FUNCTION logintel._fetched_lines(ids bigint[]) RETURNS TABLE (
    id bigint, "timestamp" timestamptz, level text, message text, service text, source_type text, http_status integer,
    response_time_ms double precision
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF EXISTS (SELECT FROM logintel.attachments) AND ids <> '{}' THEN
        RETURN QUERY SELECT * FROM logintel._fetch_lines(ids) l;
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._fetched_lines(bigint[]) IS 'The lines with these keys that are still there.';

CREATE OR REPLACE FUNCTION logintel._fetched_keys() RETURNS TABLE (id bigint, "timestamp" timestamptz)
LANGUAGE plpgsql STABLE ROWS 1000000 SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF EXISTS (SELECT FROM logintel.attachments) THEN
        RETURN QUERY SELECT * FROM logintel._fetch_keys() l;
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._fetched_keys() IS 'The keys and times of all lines.';

CREATE OR REPLACE FUNCTION logintel._fetched_count(most bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF EXISTS (SELECT FROM logintel.attachments) THEN
        RETURN logintel._fetch_count(most);
    END IF;
    RETURN 0;
END
$function$;

COMMENT ON FUNCTION logintel._fetched_count(bigint) IS 'How many lines there are, counted up to most, null for all.';

CREATE OR REPLACE FUNCTION logintel._fetched_any(from_time timestamptz, to_time timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF EXISTS (SELECT FROM logintel.attachments) THEN
        RETURN logintel._fetch_any(from_time, to_time);
    END IF;
    RETURN false;
END
$function$;

COMMENT ON FUNCTION logintel._fetched_any(timestamptz, timestamptz) IS 'Whether there are lines of a time.';

CREATE OR REPLACE FUNCTION logintel._fetched_timeless() RETURNS TABLE (id bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF EXISTS (SELECT FROM logintel.attachments) THEN
        RETURN QUERY SELECT * FROM logintel._fetch_timeless() l;
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._fetched_timeless() IS 'The lines that have no time in the years 1 to 9999.';
