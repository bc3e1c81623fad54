-- How values are read that are not of a field's own type. None of these ever fails, whatever it is given: an insert
-- must not be refused over a number that is out of range. All are parsed when they are created, and so mean the same
-- under any search_path.

-- A number counts seconds, milli-, micro- or nanoseconds since 1970, whichever puts it between 1973 and 5138; as
-- `logintel load` reads it.
CREATE OR REPLACE FUNCTION logintel._time_of_number(value numeric) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value >= 1e8 AND value < 1e11 THEN to_timestamp(value::double precision)
            WHEN value >= 1e11 AND value < 1e14 THEN to_timestamp(value::double precision / 1e3)
            WHEN value >= 1e14 AND value < 1e17 THEN to_timestamp(value::double precision / 1e6)
            WHEN value >= 1e17 AND value < 1e20 THEN to_timestamp(value::double precision / 1e9) END;

COMMENT ON FUNCTION logintel._time_of_number(numeric) IS 'The time that a number of seconds, milli-, micro- or nanoseconds since 1970 stands for; null for any other number.';

CREATE OR REPLACE FUNCTION logintel._time_in_zone(value timestamp, time_zone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value BETWEEN '0001-01-03' AND '9999-12-29' THEN value AT TIME ZONE time_zone END;

COMMENT ON FUNCTION logintel._time_in_zone(timestamp, text) IS 'The time that a clock in a zone shows; null where it has none in the years 1 to 9999.';

CREATE OR REPLACE FUNCTION logintel._time_of_date(value date, time_zone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value BETWEEN '0001-01-03' AND '9999-12-29' THEN value::timestamp AT TIME ZONE time_zone END;

COMMENT ON FUNCTION logintel._time_of_date(date, text) IS 'The time at which a day begins in a zone; null outside the years 1 to 9999.';

-- The 31st of a month that has 30 days is no time, and must not be an error: so the day is added to the first.
CREATE OR REPLACE FUNCTION logintel._time_of_parts(parts text[], time_zone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN extract(month FROM d.day) = parts[2]::integer
                THEN (d.day + make_interval(
                          hours => coalesce(parts[4], '0')::integer, mins => coalesce(parts[5], '0')::integer,
                          secs => concat(coalesce(parts[6], '0'), '.', coalesce(parts[7], '0'))::double precision))
                     AT TIME ZONE CASE WHEN parts[8] IS NULL THEN time_zone ELSE 'UTC' END
                     - CASE parts[9] WHEN '-' THEN -1 ELSE 1 END
                       * make_interval(hours => coalesce(parts[10], '0')::integer,
                                       mins => coalesce(parts[11], '0')::integer) END
    FROM (SELECT make_date(parts[1]::integer, parts[2]::integer, 1)::timestamp
                 + (parts[3]::integer - 1) * interval '1 day' AS day) AS d
    WHERE parts IS NOT NULL;
END;

COMMENT ON FUNCTION logintel._time_of_parts(text[], text) IS 'The time of year, month, day, hour, minute, second, fraction, zone, and its sign, hours and minutes, as text; null for a day that there is not.';

CREATE OR REPLACE FUNCTION logintel._time_of_text(value text, time_zone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN value ~ '^[ \t\n\r\f\v]*[0-9]{9,19}(\.[0-9]{1,9})?[ \t\n\r\f\v]*$'
        THEN logintel._time_of_number(value::numeric)
    ELSE logintel._time_of_parts(regexp_match(
        value, '^\s*([1-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
               '(?:[T ]([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]|60)(?:[.,]([0-9]{1,9})[0-9]*)?)?'
               '\s*(Z|UTC|GMT|([+-])(0[0-9]|1[0-5])(?::?([0-5][0-9]))?)?)?\s*$', 'i'), time_zone) END;

COMMENT ON FUNCTION logintel._time_of_text(text, text) IS 'The time that a text of ISO 8601, or a number since 1970, says; without a zone of its own in this one. Null for any other text.';

CREATE OR REPLACE FUNCTION logintel._status_of_number(value numeric) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value BETWEEN 0 AND 999 THEN value::integer END;

COMMENT ON FUNCTION logintel._status_of_number(numeric) IS 'An HTTP status; null for a number that is none.';

CREATE OR REPLACE FUNCTION logintel._duration_of_number(value numeric) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value BETWEEN 0 AND 1e12 THEN value::double precision END;

COMMENT ON FUNCTION logintel._duration_of_number(numeric) IS 'A duration; null for a number that is none.';

CREATE OR REPLACE FUNCTION logintel._status_of_text(value text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value ~ '^[0-9]{1,3}$' THEN value::integer END;

COMMENT ON FUNCTION logintel._status_of_text(text) IS 'An HTTP status that is written as text; null for any other text.';

CREATE OR REPLACE FUNCTION logintel._duration_of_text(value text) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value ~ '^[0-9]{1,12}(\.[0-9]{1,15})?$' THEN value::double precision END;

COMMENT ON FUNCTION logintel._duration_of_text(text) IS 'A duration that is written as text; null for any other text.';

CREATE OR REPLACE FUNCTION logintel._flag_of_text(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value IN ('true', 't', 'yes', '1') THEN true WHEN value IN ('false', 'f', 'no', '0') THEN false END;

COMMENT ON FUNCTION logintel._flag_of_text(text) IS 'A boolean that is written as text; null for any other text.';

-- A process is no service: a tag of syslog is sshd[4711]:, of which the service is sshd.
CREATE OR REPLACE FUNCTION logintel._service_name(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN right(value, 1) IN (':', ']') THEN regexp_replace(value, '(\[[0-9]+\])?:?$', '') ELSE value END;

COMMENT ON FUNCTION logintel._service_name(text) IS 'The service that a column names, without the number of its process.';

-- A json holds its text as it was written, also escapes that no text of this database can have; jsonb has refused
-- those. Halves of a pair are good only beside each other.
CREATE OR REPLACE FUNCTION logintel._readable(document json) RETURNS json
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    beyond_ascii boolean := getdatabaseencoding() = 'UTF8';
BEGIN
    IF document IS NULL OR strpos(document::text, E'\\u') = 0
       OR beyond_ascii AND document::text !~ '\\u(0000|[dD][89a-fA-F])' THEN
        RETURN document;
    END IF;
    RETURN (
        SELECT string_agg(CASE
            WHEN p.part !~ '^\\u' THEN p.part
            WHEN p.part = E'\\u0000' OR NOT beyond_ascii AND p.part !~ '^\\u00[0-7]' THEN '?'
            WHEN p.part ~ '^\\u[dD][89abAB]' AND p.next_part ~ '^\\u[dD][c-fC-F]' IS NOT TRUE THEN '?'
            WHEN p.part ~ '^\\u[dD][c-fC-F]' AND p.last_part ~ '^\\u[dD][89abAB]' IS NOT TRUE THEN '?'
            ELSE p.part END, '' ORDER BY p.n)::json
        FROM (SELECT m.part[1] AS part, lag(m.part[1]) OVER w AS last_part, lead(m.part[1]) OVER w AS next_part, m.n
              FROM regexp_matches(document::text, '\\u[0-9a-fA-F]{4}|\\.|[^\\]+', 'g') WITH ORDINALITY AS m (part, n)
              WINDOW w AS (ORDER BY m.n)) AS p);
END
$function$;

COMMENT ON FUNCTION logintel._readable(json) IS 'A document without the escapes that make reading it fail.';

-- Once for each field: making a document readable costs more than reading it.
CREATE OR REPLACE FUNCTION logintel._text_of_json(document json, paths jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    readable json := logintel._readable(document);
    path jsonb;
    found_there text;
BEGIN
    FOR path IN SELECT p FROM jsonb_array_elements(paths) AS p LOOP
        found_there := readable #>> ARRAY(SELECT jsonb_array_elements_text(path));
        EXIT WHEN found_there IS NOT NULL;
    END LOOP;
    RETURN found_there;
END
$function$;

COMMENT ON FUNCTION logintel._text_of_json(json, jsonb) IS 'The text in a document at the first of these paths, lists of keys, where there is one.';

-- What a type prints for a value: nothing, where that is null.
CREATE OR REPLACE FUNCTION logintel._printed(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(value, '');

COMMENT ON FUNCTION logintel._printed(text) IS 'What a value is printed as; null for nothing.';

-- A number that the scale does not have is no level, whatever it is in another one.
CREATE OR REPLACE FUNCTION logintel._level_of_scale(spelling text, level_scale jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(level_scale ->> spelling,
                CASE WHEN spelling ~ '^-?[0-9.]+$' THEN 'number ' || spelling ELSE spelling END);

COMMENT ON FUNCTION logintel._level_of_scale(text, jsonb) IS 'A level in the scale of an attachment.';
