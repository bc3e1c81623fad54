-- A linear classifier of texts is a sum of weights, which SQL can look up and add. These files, up to 45_compile.sql,
-- read an ONNX graph and find those weights, or refuse the graph by the name of what it cannot score. First, what is in
-- the graph: its nodes and where their attributes are, and its tensors. Vocabularies and the numbers of tensors are
-- read last, once it is known that all of it can be scored.
CREATE OR REPLACE FUNCTION logintel._refuse_unless(expressible boolean, what text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF expressible IS NOT TRUE THEN
        RAISE EXCEPTION '% cannot be scored in SQL', what USING ERRCODE = 'feature_not_supported';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._refuse_unless(boolean, text) IS 'Raises the error of a graph that says something which rows of weights cannot say.';

CREATE OR REPLACE FUNCTION logintel._onnx_graph(bytes bytea) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    whole record;
    graph jsonb;
BEGIN
    SELECT count(*) AS parts, min(f.at) AS start, min(f.at + f.size) AS until INTO whole
    FROM logintel._protobuf_fields(bytes, 0, octet_length(bytes)) AS f WHERE f.field = 7 AND f.wire = 2;
    IF whole.parts <> 1 THEN
        PERFORM logintel._no_graph('there is none in them');
    END IF;
    PERFORM logintel._refuse_unless(count(*) <= 1000, 'a graph of more than 1,000 operators, constants and inputs')
    FROM logintel._protobuf_fields(bytes, whole.start, whole.until) AS f;
    SELECT jsonb_build_object(
        'nodes', coalesce(jsonb_agg(logintel._onnx_node(bytes, f.at, f.at + f.size) ORDER BY f.at)
                          FILTER (WHERE f.field = 1), '[]'),
        'tensors', coalesce(jsonb_agg(logintel._onnx_tensor(bytes, f.at, f.at + f.size) ORDER BY f.at)
                            FILTER (WHERE f.field = 5), '[]'),
        'inputs', coalesce(jsonb_agg(logintel._onnx_name(bytes, f.at, f.at + f.size) ORDER BY f.at)
                           FILTER (WHERE f.field = 11), '[]'),
        'outputs', coalesce(jsonb_agg(logintel._onnx_name(bytes, f.at, f.at + f.size) ORDER BY f.at)
                            FILTER (WHERE f.field = 12), '[]'))
    INTO graph FROM logintel._protobuf_fields(bytes, whole.start, whole.until) AS f WHERE f.wire = 2;
    IF graph ->> 'nodes' = '[]' THEN
        PERFORM logintel._no_graph('there is no node in it');
    END IF;
    RETURN graph;
END
$function$;

COMMENT ON FUNCTION logintel._onnx_graph(bytea) IS 'What is in a graph and where: nodes in their order, tensors, inputs, outputs. Numbers and vocabularies stay in the bytes.';

-- Names come first wherever protobuf's own libraries wrote the bytes, and then the rest is not read.
CREATE OR REPLACE FUNCTION logintel._onnx_name(bytes bytea, start integer, until integer) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT logintel._protobuf_text(bytes, f.at, f.size)
                 FROM logintel._protobuf_fields(bytes, start, until, 1) AS f WHERE f.field = 1 AND f.wire = 2), '');

COMMENT ON FUNCTION logintel._onnx_name(bytea, integer, integer) IS 'The name of an attribute, an input or an output; empty where it has none.';

CREATE OR REPLACE FUNCTION logintel._onnx_node(bytes bytea, start integer, until integer) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RETURN (SELECT jsonb_build_object(
        'at', start,
        'inputs', coalesce(jsonb_agg(t.text ORDER BY f.at) FILTER (WHERE f.field = 1), '[]'),
        'outputs', coalesce(jsonb_agg(t.text ORDER BY f.at) FILTER (WHERE f.field = 2), '[]'),
        'operator', coalesce(max(t.text) FILTER (WHERE f.field = 4), ''),
        'domain', coalesce(nullif(max(t.text) FILTER (WHERE f.field = 7), 'ai.onnx'), ''),
        'attributes', coalesce(
            jsonb_object_agg(logintel._onnx_name(bytes, f.at, f.at + f.size), jsonb_build_array(f.at, f.at + f.size))
            FILTER (WHERE f.field = 5), '{}'))
        FROM logintel._protobuf_fields(bytes, start, until) AS f
        CROSS JOIN LATERAL (
            SELECT CASE WHEN f.field <> 5 THEN logintel._protobuf_text(bytes, f.at, f.size) END) AS t (text)
        WHERE f.wire = 2 AND f.field IN (1, 2, 4, 5, 7));
END
$function$;

COMMENT ON FUNCTION logintel._onnx_node(bytea, integer, integer) IS 'A node: its operator, inputs, outputs, and where each attribute is.';

CREATE OR REPLACE FUNCTION logintel._onnx_tensor(bytes bytea, start integer, until integer) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    tensor record;
BEGIN
    SELECT max(f.value) FILTER (WHERE f.field = 2) AS type,
           coalesce(max(logintel._protobuf_text(bytes, f.at, f.size))
                    FILTER (WHERE f.field = 8 AND f.wire = 2), '') AS name,
           bool_or(f.field IN (3, 13) OR f.field = 14 AND f.value IS DISTINCT FROM 0) AS elsewhere INTO tensor
    FROM logintel._protobuf_fields(bytes, start, until) AS f WHERE f.field IN (2, 3, 8, 13, 14);
    PERFORM logintel._refuse_unless(NOT coalesce(tensor.elsewhere, false),
                                    format('the tensor %s, kept outside the graph,', tensor.name));
    RETURN jsonb_build_object('kind', 'constant', 'name', tensor.name, 'type', tensor.type, 'start', start,
                              'until', until, 'dims', logintel._protobuf_integers(bytes, start, until, 1));
END
$function$;

COMMENT ON FUNCTION logintel._onnx_tensor(bytea, integer, integer) IS 'A constant of the graph: its name, type, dimensions, and where it is.';

CREATE OR REPLACE FUNCTION logintel._onnx_number(bytes bytea, node jsonb, name text, otherwise bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    place jsonb := node -> 'attributes' -> name;
BEGIN
    IF place IS NULL THEN
        RETURN otherwise;
    END IF;
    RETURN coalesce((SELECT f.value
                     FROM logintel._protobuf_fields(bytes, (place ->> 0)::integer, (place ->> 1)::integer) AS f
                     WHERE f.field = 3 AND f.wire = 0 ORDER BY f.at DESC LIMIT 1), 0);
END
$function$;

COMMENT ON FUNCTION logintel._onnx_number(bytea, jsonb, text, bigint) IS 'An attribute that is one integer.';

CREATE OR REPLACE FUNCTION logintel._onnx_text(bytes bytea, node jsonb, name text, otherwise text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    place jsonb := node -> 'attributes' -> name;
BEGIN
    IF place IS NULL THEN
        RETURN otherwise;
    END IF;
    RETURN coalesce((SELECT logintel._protobuf_text(bytes, f.at, f.size)
                     FROM logintel._protobuf_fields(bytes, (place ->> 0)::integer, (place ->> 1)::integer) AS f
                     WHERE f.field = 4 AND f.wire = 2 ORDER BY f.at DESC LIMIT 1), '');
END
$function$;

COMMENT ON FUNCTION logintel._onnx_text(bytea, jsonb, text, text) IS 'An attribute that is one text.';

CREATE OR REPLACE FUNCTION logintel._onnx_texts(bytes bytea, node jsonb, name text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN logintel._protobuf_texts(bytes, (node -> 'attributes' -> name ->> 0)::integer,
                                (node -> 'attributes' -> name ->> 1)::integer, 9);

COMMENT ON FUNCTION logintel._onnx_texts(bytea, jsonb, text) IS 'An attribute that is a list of texts.';

CREATE OR REPLACE FUNCTION logintel._onnx_tokens(bytes bytea, node jsonb, name text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN logintel._protobuf_tokens(bytes, (node -> 'attributes' -> name ->> 0)::integer,
                                (node -> 'attributes' -> name ->> 1)::integer, 9);

COMMENT ON FUNCTION logintel._onnx_tokens(bytea, jsonb, text) IS 'An attribute that is a list of words.';

CREATE OR REPLACE FUNCTION logintel._onnx_integers(bytes bytea, node jsonb, name text) RETURNS bigint[]
LANGUAGE sql IMMUTABLE
RETURN logintel._protobuf_integers(bytes, (node -> 'attributes' -> name ->> 0)::integer,
                                   (node -> 'attributes' -> name ->> 1)::integer, 8);

COMMENT ON FUNCTION logintel._onnx_integers(bytea, jsonb, text) IS 'An attribute that is a list of integers.';

CREATE OR REPLACE FUNCTION logintel._onnx_floats(bytes bytea, node jsonb, name text) RETURNS double precision[]
LANGUAGE sql IMMUTABLE
RETURN logintel._protobuf_floats(bytes, (node -> 'attributes' -> name ->> 0)::integer,
                                 (node -> 'attributes' -> name ->> 1)::integer, 7);

COMMENT ON FUNCTION logintel._onnx_floats(bytea, jsonb, text) IS 'An attribute that is a list of floats.';

-- The numbers are in the field of their type, or, as bytes, in field 9.
CREATE OR REPLACE FUNCTION logintel._onnx_constant(bytes bytea, tensor jsonb) RETURNS double precision[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    start integer := tensor ->> 'start';
    until integer := tensor ->> 'until';
    numbers double precision[];
BEGIN
    CASE tensor ->> 'type'
        WHEN '1' THEN
            numbers := coalesce(nullif(logintel._protobuf_floats(bytes, start, until, 4), '{}'),
                                logintel._protobuf_floats(bytes, start, until, 9));
        WHEN '11' THEN
            numbers := coalesce(nullif(logintel._protobuf_doubles(bytes, start, until, 10), '{}'),
                                logintel._protobuf_doubles(bytes, start, until, 9));
        WHEN '7' THEN
            numbers := coalesce(nullif(logintel._protobuf_integers(bytes, start, until, 7), '{}'),
                                logintel._protobuf_words(bytes, start, until, 9));
        ELSE
            PERFORM logintel._refuse_unless(
                false, format('the tensor %s, of type %s,', tensor ->> 'name', tensor ->> 'type'));
    END CASE;
    IF cardinality(numbers) <> logintel._onnx_size(tensor) THEN
        PERFORM logintel._no_graph(format('the tensor %s has %s numbers', tensor ->> 'name', cardinality(numbers)));
    END IF;
    RETURN numbers;
END
$function$;

COMMENT ON FUNCTION logintel._onnx_constant(bytea, jsonb) IS 'The numbers of a constant, as many as its dimensions say.';

CREATE OR REPLACE FUNCTION logintel._onnx_size(tensor jsonb) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    size numeric := 1;
    dim numeric;
BEGIN
    PERFORM logintel._refuse_unless(jsonb_array_length(tensor -> 'dims') < 8, 'a tensor of more than 7 dimensions');
    FOR dim IN SELECT d.value::numeric FROM jsonb_array_elements_text(tensor -> 'dims') AS d LOOP
        size := size * dim;
    END LOOP;
    RETURN size;
END
$function$;

COMMENT ON FUNCTION logintel._onnx_size(jsonb) IS 'How many numbers a constant has, by its dimensions.';
