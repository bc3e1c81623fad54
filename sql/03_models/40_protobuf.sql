-- An ONNX graph is a protobuf message: what follows reads such bytes, which anybody may have made. Every position is
-- checked before it is read, and each reader's work grows with the bytes that it reads and nothing else. Positions
-- count from 0, as get_byte() does; a part of the bytes is [start, until).
-- It is not IMMUTABLE, or the planner would raise the error of a branch that is not taken.
CREATE OR REPLACE FUNCTION logintel._no_graph(why text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RAISE EXCEPTION 'the bytes are no ONNX graph: %', why USING ERRCODE = 'invalid_parameter_value';
END
$function$;

COMMENT ON FUNCTION logintel._no_graph(text) IS 'Raises the error of bytes that are no ONNX graph.';

CREATE OR REPLACE FUNCTION logintel._protobuf_varint(
    bytes bytea, start integer, until integer, OUT value bigint, OUT following integer
)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    byte integer;
BEGIN
    value := 0;
    following := start;
    LOOP
        IF following >= until OR following - start > 9 THEN
            PERFORM logintel._no_graph(format('a number at byte %s has no end', start));
        END IF;
        byte := get_byte(bytes, following);
        value := value | ((byte & 127)::bigint << (7 * (following - start)));
        following := following + 1;
        EXIT WHEN byte < 128;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._protobuf_varint(bytea, integer, integer) IS 'A number of one to ten bytes, and where the byte after it is.';

-- A regression has a hundred thousand floats, each a field of its own with the same byte in front: a loop would take
-- half a second. Such a run is one row: its first value is at `at`, and each one is a byte further than it is wide.
-- Everything is in the loop because calls would cost more than what they do.
CREATE OR REPLACE FUNCTION logintel._protobuf_fields(
    bytes bytea, start integer, until integer, up_to integer DEFAULT NULL,
    OUT field integer, OUT wire integer, OUT at integer, OUT size integer, OUT value bigint
) RETURNS SETOF record
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    here integer := start;
    tag bigint;
    length bigint;
    byte integer;
    shift integer;
BEGIN
    WHILE here < until LOOP
        tag := get_byte(bytes, here);
        here := here + 1;
        IF tag > 127 THEN
            SELECT v.value, v.following INTO tag, here FROM logintel._protobuf_varint(bytes, here - 1, until) AS v;
        END IF;
        IF tag < 8 OR tag > 4294967295 THEN
            PERFORM logintel._no_graph(format('no field begins at byte %s', here - 1));
        END IF;
        field := tag >> 3;
        wire := tag & 7;
        value := NULL;
        IF wire = 0 THEN
            at := here;
            value := 0;
            shift := 0;
            LOOP
                IF here >= until OR shift > 63 THEN
                    PERFORM logintel._no_graph(format('a number at byte %s has no end', at));
                END IF;
                byte := get_byte(bytes, here);
                here := here + 1;
                value := value | ((byte & 127)::bigint << shift);
                EXIT WHEN byte < 128;
                shift := shift + 7;
            END LOOP;
            size := here - at;
        ELSIF wire = 2 THEN
            IF here >= until THEN
                PERFORM logintel._no_graph('they end too early');
            END IF;
            length := get_byte(bytes, here);
            here := here + 1;
            IF length > 127 THEN
                SELECT v.value, v.following INTO length, here
                FROM logintel._protobuf_varint(bytes, here - 1, until) AS v;
            END IF;
            IF length < 0 OR length > until - here THEN
                PERFORM logintel._no_graph('they end too early');
            END IF;
            at := here;
            size := length;
            here := here + size;
        ELSIF wire IN (1, 5) THEN
            at := here;
            here := logintel._protobuf_run(bytes, here, until, tag, CASE wire WHEN 1 THEN 8 ELSE 4 END);
            size := here - at;
        ELSE
            PERFORM logintel._no_graph(format('the field at byte %s has no known type', here - 1));
        END IF;
        RETURN NEXT;
        EXIT WHEN field = up_to;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._protobuf_fields(bytea, integer, integer, integer) IS 'The fields of a message in their order: number, wire type, where the content is, and its value where it is an integer. Stops after the first field of the number up_to, where given.';

CREATE OR REPLACE FUNCTION logintel._protobuf_run(
    bytes bytea, start integer, until integer, tag bigint, width integer
) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    following integer := start + width;
BEGIN
    IF width > until - start THEN
        PERFORM logintel._no_graph('they end too early');
    ELSIF tag > 127 OR width >= until - following OR get_byte(bytes, following) <> tag THEN
        RETURN following;
    END IF;
    -- In the select list generate_series() stops where the run does; in FROM it would go to the end of the bytes first.
    RETURN coalesce(
        (SELECT s.other FROM (SELECT generate_series(following, until - width - 1, width + 1) AS other) AS s
         WHERE get_byte(bytes, s.other) <> tag LIMIT 1),
        following + (until - following) / (width + 1) * (width + 1));
END
$function$;

COMMENT ON FUNCTION logintel._protobuf_run(bytea, integer, integer, bigint, integer) IS 'Where the values of one width, each with this tag in front but for the first, end.';

-- Text in a graph is UTF-8. A database without an encoding converts nothing, and has no characters but bytes.
CREATE OR REPLACE FUNCTION logintel._protobuf_text(bytes bytea, at integer, size integer) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN convert_from(substr(bytes, at + 1, size),
                    CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END);

COMMENT ON FUNCTION logintel._protobuf_text(bytea, integer, integer) IS 'The text in a part of the bytes.';

CREATE OR REPLACE FUNCTION logintel._protobuf_texts(
    bytes bytea, start integer, until integer, number integer
) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RETURN ARRAY(SELECT logintel._protobuf_text(bytes, f.at, f.size)
                 FROM logintel._protobuf_fields(bytes, start, until) AS f WHERE f.field = number AND f.wire = 2);
END
$function$;

COMMENT ON FUNCTION logintel._protobuf_texts(bytea, integer, integer, integer) IS 'The texts of a field that repeats.';

-- A word with letters that the database's encoding lacks is in no message that it can hold.
CREATE OR REPLACE FUNCTION logintel._protobuf_token(bytes bytea, at integer, size integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RETURN logintel._protobuf_text(bytes, at, size);
EXCEPTION WHEN untranslatable_character THEN
    RETURN ' ';
END
$function$;

COMMENT ON FUNCTION logintel._protobuf_token(bytea, integer, integer) IS 'The word in a part of the bytes; a space, which no word is, where the database has no letters for it.';

CREATE OR REPLACE FUNCTION logintel._protobuf_tokens(
    bytes bytea, start integer, until integer, number integer
) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF getdatabaseencoding() IN ('UTF8', 'SQL_ASCII') THEN
        RETURN logintel._protobuf_texts(bytes, start, until, number);
    END IF;
    RETURN ARRAY(SELECT logintel._protobuf_token(bytes, f.at, f.size)
                 FROM logintel._protobuf_fields(bytes, start, until) AS f WHERE f.field = number AND f.wire = 2);
END
$function$;

COMMENT ON FUNCTION logintel._protobuf_tokens(bytea, integer, integer, integer) IS 'The tokens of a field that repeats.';

CREATE OR REPLACE FUNCTION logintel._protobuf_integers(
    bytes bytea, start integer, until integer, number integer
) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    integers bigint[];
    is_packed boolean;
BEGIN
    SELECT array_agg(f.value), bool_or(f.wire = 2) INTO integers, is_packed
    FROM logintel._protobuf_fields(bytes, start, until) AS f WHERE f.field = number AND f.wire IN (0, 2);
    IF is_packed THEN
        integers := ARRAY(SELECT p.value FROM logintel._protobuf_fields(bytes, start, until) AS f
                          CROSS JOIN LATERAL logintel._protobuf_packed(bytes, f.at, f.at + f.size) AS p (value)
                          WHERE f.field = number AND f.wire IN (0, 2));
    END IF;
    RETURN coalesce(integers, '{}');
END
$function$;

COMMENT ON FUNCTION logintel._protobuf_integers(bytea, integer, integer, integer) IS 'The integers of a field that repeats, packed or not.';

CREATE OR REPLACE FUNCTION logintel._protobuf_packed(bytes bytea, start integer, until integer) RETURNS SETOF bigint
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    here integer := start;
    value bigint;
BEGIN
    WHILE here < until LOOP
        SELECT v.value, v.following INTO value, here FROM logintel._protobuf_varint(bytes, here, until) AS v;
        RETURN NEXT value;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._protobuf_packed(bytea, integer, integer) IS 'Integers that stand one after the other.';

-- One look-up by sign and exponent instead of power() and a branch for each float.
CREATE OR REPLACE FUNCTION logintel._float_scales() RETURNS double precision[]
LANGUAGE sql IMMUTABLE
RETURN ARRAY(SELECT CASE WHEN e.top & 255 = 255 THEN NULL
                         ELSE CASE WHEN e.top < 0 THEN -1 ELSE 1 END * 2::double precision ^ ((e.top & 255) - 150) END
             FROM generate_series(-256, 255) AS e (top));

COMMENT ON FUNCTION logintel._float_scales() IS 'What the integer in the low 23 bits of a float32 is multiplied by, for its upper 9 bits from -256 to 255; null where it is no number.';

-- A number of the smallest exponent has no hidden bit, and counts twice: the exponent means what 1 means.
CREATE OR REPLACE FUNCTION logintel._protobuf_floats(
    bytes bytea, start integer, until integer, number integer
) RETURNS double precision[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    scales double precision[] := logintel._float_scales();
    floats double precision[] := ARRAY(
        SELECT scales[(b.bits >> 23) + 257] * CASE b.bits & 2139095040 WHEN 0 THEN 2 * (b.bits & 8388607)
                                              ELSE 8388608 + (b.bits & 8388607) END
        FROM (SELECT get_byte(bytes, p.at) | (get_byte(bytes, p.at + 1) << 8)
                     | (get_byte(bytes, p.at + 2) << 16) | (get_byte(bytes, p.at + 3) << 24) AS bits
              FROM logintel._protobuf_positions(bytes, start, until, number, 4) AS p (at) OFFSET 0) AS b);
BEGIN
    IF array_position(floats, NULL) IS NOT NULL THEN
        PERFORM logintel._refuse_unless(false, 'a weight that is infinite or no number');
    END IF;
    RETURN floats;
END
$function$;

COMMENT ON FUNCTION logintel._protobuf_floats(bytea, integer, integer, integer) IS 'The numbers of a field of float32, packed, raw or one by one; exact.';

CREATE OR REPLACE FUNCTION logintel._protobuf_doubles(
    bytes bytea, start integer, until integer, number integer
) RETURNS double precision[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    doubles double precision[] := ARRAY(
        SELECT CASE WHEN (b.bits >> 52) & 2047 = 2047 THEN NULL
                    ELSE CASE WHEN b.bits < 0 THEN -1 ELSE 1 END::double precision
                         * ((b.bits & 4503599627370495)
                            + CASE (b.bits >> 52) & 2047 WHEN 0 THEN 0 ELSE 4503599627370496 END)
                         * 2::double precision ^ (greatest((b.bits >> 52) & 2047, 1) - 1075) END
        FROM unnest(logintel._protobuf_words(bytes, start, until, number)) AS b (bits));
BEGIN
    IF array_position(doubles, NULL) IS NOT NULL THEN
        PERFORM logintel._refuse_unless(false, 'a weight that is infinite or no number');
    END IF;
    RETURN doubles;
END
$function$;

COMMENT ON FUNCTION logintel._protobuf_doubles(bytea, integer, integer, integer) IS 'The numbers of a field of float64, packed, raw or one by one; exact.';

CREATE OR REPLACE FUNCTION logintel._protobuf_words(
    bytes bytea, start integer, until integer, number integer
) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
BEGIN
    RETURN ARRAY(SELECT get_byte(bytes, p.at)::bigint | (get_byte(bytes, p.at + 1)::bigint << 8)
                        | (get_byte(bytes, p.at + 2)::bigint << 16) | (get_byte(bytes, p.at + 3)::bigint << 24)
                        | (get_byte(bytes, p.at + 4)::bigint << 32) | (get_byte(bytes, p.at + 5)::bigint << 40)
                        | (get_byte(bytes, p.at + 6)::bigint << 48) | (get_byte(bytes, p.at + 7)::bigint << 56)
                 FROM logintel._protobuf_positions(bytes, start, until, number, 8) AS p (at));
END
$function$;

COMMENT ON FUNCTION logintel._protobuf_words(bytea, integer, integer, integer) IS 'The values of a field of 8 bytes each, as integers, packed, raw or one by one.';

CREATE OR REPLACE FUNCTION logintel._protobuf_positions(
    bytes bytea, start integer, until integer, number integer, width integer
) RETURNS SETOF integer
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT f.* FROM logintel._protobuf_fields(bytes, start, until) AS f WHERE f.field = number LOOP
        IF part.wire = 2 AND part.size % width <> 0 THEN
            PERFORM logintel._no_graph(format('the numbers at byte %s are cut off', part.at));
        ELSIF part.wire IN (2, CASE width WHEN 8 THEN 1 ELSE 5 END) THEN
            RETURN QUERY SELECT generate_series(part.at, part.at + part.size - width,
                                                CASE part.wire WHEN 2 THEN width ELSE width + 1 END);
        END IF;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._protobuf_positions(bytea, integer, integer, integer, integer) IS 'Where the values of a field are that are 4 or 8 bytes wide.';
