-- A linear classifier of texts is a sum of weights, which SQL can look up and add. What follows reads an ONNX graph and
-- finds those weights, or refuses the graph by the name of what it cannot score. It follows the graph node by node and
-- notes of each value what it is, as jsonb: a text (of which input), its tokens, a constant, or columns: blocks side by
-- side. A block is what one vectorizer or encoder counts and what became of the counts: "node" (that operator),
-- "feature", "whole" (an encoder), "binary", "idf", "norm", "matrix", "offset", "widths" (what its width has to be).
-- Vocabularies and tensors are read last, once it is known that all of it can be scored.
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

-- An attribute that is not here could change what the operator does, so it is refused as well. Those of a vectorizer
-- called weights count for nothing in mode TF, and multi_class does for no classifier.
CREATE OR REPLACE FUNCTION logintel._onnx_operators() RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN '{
    "Tokenizer": {"domain": "com.microsoft", "attributes": ["mark", "mincharnum", "pad_value", "tokenexp"]},
    "Flatten": {"domain": "", "attributes": ["axis"]},
    "Reshape": {"domain": "", "attributes": []},
    "Identity": {"domain": "", "attributes": []},
    "Gather": {"domain": "", "attributes": ["axis"]},
    "Cast": {"domain": "", "attributes": ["to"]},
    "TfIdfVectorizer": {"domain": "", "attributes": ["max_gram_length", "max_skip_count", "min_gram_length", "mode",
                                                     "ngram_counts", "ngram_indexes", "pool_strings", "weights"]},
    "OneHotEncoder": {"domain": "ai.onnx.ml", "attributes": ["cats_strings", "zeros"]},
    "Mul": {"domain": "", "attributes": []},
    "MatMul": {"domain": "", "attributes": []},
    "Add": {"domain": "", "attributes": []},
    "ReduceL2": {"domain": "", "attributes": ["axes", "keepdims"]},
    "Max": {"domain": "", "attributes": []},
    "Div": {"domain": "", "attributes": []},
    "Normalizer": {"domain": "ai.onnx.ml", "attributes": ["norm"]},
    "Concat": {"domain": "", "attributes": ["axis"]},
    "LinearClassifier": {"domain": "ai.onnx.ml", "attributes": ["classlabels_strings", "coefficients", "intercepts",
                                                                "multi_class", "post_transform"]}
}'::jsonb;

COMMENT ON FUNCTION logintel._onnx_operators() IS 'The operators that _compile() knows, with their domain and the attributes that they may have.';

-- Reading.

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

-- Following the graph.

CREATE OR REPLACE FUNCTION logintel._onnx_check(graph jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    node record;
    attribute text;
BEGIN
    FOR node IN SELECT n.value ->> 'operator' AS name, n.value ->> 'domain' AS domain,
                       n.value -> 'attributes' AS attributes, o.known
                FROM jsonb_array_elements(graph -> 'nodes') WITH ORDINALITY AS n (value, place)
                CROSS JOIN LATERAL (SELECT logintel._onnx_operators() -> (n.value ->> 'operator')) AS o (known)
                ORDER BY n.place LOOP
        PERFORM logintel._refuse_unless(node.known ->> 'domain' = node.domain, format('the operator %s', node.name));
        FOR attribute IN SELECT a.key FROM jsonb_object_keys(node.attributes) AS a (key)
                         WHERE NOT node.known -> 'attributes' ? a.key LOOP
            PERFORM logintel._refuse_unless(false, format('the attribute %s of the operator %s', attribute, node.name));
        END LOOP;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._onnx_check(jsonb) IS 'Refuses a graph for the first operator or attribute that rows of weights cannot stand for.';

CREATE OR REPLACE FUNCTION logintel._onnx_values(bytes bytea, graph jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    vals jsonb;
    node jsonb;
    inputs jsonb;
    result jsonb;
BEGIN
    SELECT coalesce(jsonb_object_agg(i.name, jsonb_build_object('kind', 'text', 'feature', i.name)), '{}')
    INTO vals FROM jsonb_array_elements_text(graph -> 'inputs') AS i (name);
    vals := vals || (SELECT coalesce(jsonb_object_agg(t.value ->> 'name', t.value), '{}')
                     FROM jsonb_array_elements(graph -> 'tensors') AS t (value));
    FOR node IN SELECT n.value FROM jsonb_array_elements(graph -> 'nodes') WITH ORDINALITY AS n (value, place)
                ORDER BY n.place LOOP
        IF EXISTS (SELECT FROM jsonb_array_elements_text(node -> 'inputs') AS i (name) WHERE NOT vals ? i.name) THEN
            PERFORM logintel._no_graph(format('nothing makes an input of the operator %s', node ->> 'operator'));
        END IF;
        inputs := (SELECT jsonb_agg(vals -> i.name ORDER BY i.place)
                   FROM jsonb_array_elements_text(node -> 'inputs') WITH ORDINALITY AS i (name, place));
        result := CASE WHEN node ->> 'operator' IN ('Tokenizer', 'TfIdfVectorizer', 'OneHotEncoder') THEN
                            logintel._onnx_read(bytes, node, inputs)
                       WHEN node ->> 'operator' IN ('Flatten', 'Reshape', 'Identity', 'Gather', 'Cast') THEN
                            logintel._onnx_keep(bytes, node, inputs)
                       WHEN node ->> 'operator' IN ('Mul', 'MatMul', 'Add') THEN
                            logintel._onnx_scale(node, inputs)
                       WHEN node ->> 'operator' IN ('ReduceL2', 'Max', 'Div', 'Normalizer') THEN
                            logintel._onnx_norm(bytes, node, inputs)
                       ELSE logintel._onnx_join(bytes, node, inputs) END;
        PERFORM logintel._refuse_unless(result IS NOT NULL,
                                        format('what the operator %s is used for', node ->> 'operator'));
        vals := vals || jsonb_build_object(coalesce(node #>> '{outputs,0}', ''), result);
        IF node ->> 'operator' = 'LinearClassifier' THEN
            vals := vals || jsonb_build_object(coalesce(node #>> '{outputs,1}', ''),
                                               result || '{"kind": "probabilities"}');
        END IF;
    END LOOP;
    RETURN vals;
END
$function$;

COMMENT ON FUNCTION logintel._onnx_values(bytea, jsonb) IS 'What each value of the graph is, by name; an error where something is no sum of weights.';

-- These functions, one for a group of operators, return null where an operator does something else than they know.
CREATE OR REPLACE FUNCTION logintel._onnx_read(bytes bytea, node jsonb, inputs jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    operator text := node ->> 'operator';
    kind text := inputs #>> '{0,kind}';
    expression text;
BEGIN
    IF operator = 'Tokenizer' AND kind = 'text' THEN
        expression := logintel._onnx_text(bytes, node, 'tokenexp', '');
        PERFORM logintel._refuse_unless(expression = '[^ ]+',
                                        format('the operator Tokenizer with the expression "%s"', expression));
        PERFORM logintel._refuse_unless(logintel._onnx_number(bytes, node, 'mincharnum', 1) = 1
                                        AND logintel._onnx_number(bytes, node, 'mark', 0) = 0,
                                        'the operator Tokenizer with marks, or without short words,');
        RETURN inputs -> 0
               || jsonb_build_object('kind', 'tokens', 'pad', logintel._onnx_text(bytes, node, 'pad_value', ''));
    ELSIF operator = 'TfIdfVectorizer' AND kind = 'tokens' THEN
        PERFORM logintel._refuse_unless(logintel._onnx_text(bytes, node, 'mode', '') = 'TF',
                                        'the operator TfIdfVectorizer with a mode other than TF');
        PERFORM logintel._refuse_unless(logintel._onnx_number(bytes, node, 'max_skip_count', 0) = 0
                                        AND logintel._onnx_number(bytes, node, 'min_gram_length', 0) IN (1, 2)
                                        AND logintel._onnx_number(bytes, node, 'max_gram_length', 0) IN (1, 2),
                                        'the operator TfIdfVectorizer with more than words and pairs of words');
        RETURN jsonb_build_object('kind', 'columns', 'blocks', jsonb_build_array(
            inputs -> 0 || jsonb_build_object('node', node - 'inputs' - 'outputs', 'widths', '[]'::jsonb)));
    ELSIF operator = 'OneHotEncoder' AND kind = 'text' THEN
        PERFORM logintel._refuse_unless(logintel._onnx_number(bytes, node, 'zeros', 1) = 1,
                                        'the operator OneHotEncoder that fails at the unknown');
        RETURN jsonb_build_object('kind', 'columns', 'blocks', jsonb_build_array(
            inputs -> 0 || jsonb_build_object('node', node - 'inputs' - 'outputs', 'widths', '[]'::jsonb,
                                              'whole', true, 'binary', true)));
    END IF;
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._onnx_read(bytea, jsonb, jsonb) IS 'What operators make that read texts: tokens, and counts of n-grams and of whole texts.';

CREATE OR REPLACE FUNCTION logintel._onnx_keep(bytes bytea, node jsonb, inputs jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    operator text := node ->> 'operator';
    kept jsonb := inputs -> 0;
    target bigint := logintel._onnx_number(bytes, node, 'to', 0);
BEGIN
    IF operator = 'Identity' THEN
        RETURN kept;
    ELSIF operator = 'Flatten' AND kept ->> 'kind' IN ('text', 'tokens', 'columns') THEN
        RETURN CASE WHEN logintel._onnx_number(bytes, node, 'axis', 1) = 1 THEN kept END;
    ELSIF operator = 'Reshape' AND inputs #>> '{1,kind}' = 'constant' THEN
        RETURN logintel._onnx_reshape(kept, logintel._onnx_constant(bytes, inputs -> 1));
    ELSIF operator = 'Gather' AND kept ->> 'kind' = 'text' AND inputs #>> '{1,kind}' = 'constant' THEN
        RETURN CASE WHEN logintel._onnx_number(bytes, node, 'axis', 0) IN (1, -1) AND inputs #> '{1,dims}' = '[1]'
                         AND logintel._onnx_constant(bytes, inputs -> 1) = '{0}' THEN kept END;
    ELSIF operator = 'Cast' AND kept ->> 'kind' = 'columns' AND target = 1 THEN
        RETURN kept;
    ELSIF operator = 'Cast' AND kept ->> 'kind' = 'columns' AND target = 9 THEN
        -- Whether something is there, of which nothing is left to see once it is multiplied.
        RETURN (SELECT CASE WHEN NOT bool_or(b.value ?| '{idf,norm,matrix}') THEN jsonb_build_object(
                            'kind', 'columns', 'blocks', jsonb_agg(b.value || '{"binary": true}' ORDER BY b.place)) END
                FROM jsonb_array_elements(kept -> 'blocks') WITH ORDINALITY AS b (value, place));
    END IF;
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._onnx_keep(bytea, jsonb, jsonb) IS 'What operators make that leave values as they are, but for their form and type.';

CREATE OR REPLACE FUNCTION logintel._onnx_block(columns jsonb, change jsonb, width numeric DEFAULT NULL) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN jsonb_build_object('kind', 'columns', 'blocks', jsonb_build_array(
    columns #> '{blocks,0}' || change
    || CASE WHEN width IS NULL THEN '{}'::jsonb
            WHEN columns #> '{blocks,0}' ? 'matrix' AND columns #> '{blocks,0,matrix,dims,1}' <> to_jsonb(width) THEN
                 '{"widths": [-1]}'
            WHEN columns #> '{blocks,0}' ? 'matrix' THEN '{}'
            ELSE jsonb_build_object('widths', columns #> '{blocks,0,widths}' || to_jsonb(width)) END));

COMMENT ON FUNCTION logintel._onnx_block(jsonb, jsonb, numeric) IS 'Columns of a single block with a change to it, and with a width that it has to have for that.';

CREATE OR REPLACE FUNCTION logintel._onnx_reshape(kept jsonb, shape double precision[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN kept ->> 'kind' = 'text' AND shape IN ('{-1}', '{-1,1}', '{0,1}', '{0,-1}')
                 OR kept ->> 'kind' IN ('tokens', 'columns') AND shape = '{0,-1}' THEN kept
            WHEN kept ->> 'kind' = 'columns' AND jsonb_array_length(kept -> 'blocks') = 1
                 AND cardinality(shape) = 2 AND shape[1] IN (-1, 0) AND shape[2] > 0 THEN
                 logintel._onnx_block(kept, '{}', shape[2]::numeric) END;

COMMENT ON FUNCTION logintel._onnx_reshape(jsonb, double precision[]) IS 'A value in another form, a row a text as before; null where it would be another value.';

CREATE OR REPLACE FUNCTION logintel._onnx_scale(node jsonb, inputs jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    operator text := node ->> 'operator';
    turned boolean := operator <> 'MatMul' AND inputs #>> '{0,kind}' = 'constant';
    columns jsonb := inputs -> CASE WHEN turned THEN 1 ELSE 0 END;
    constant jsonb := inputs -> CASE WHEN turned THEN 0 ELSE 1 END;
    block jsonb := columns #> '{blocks,0}';
    dims jsonb := constant -> 'dims';
    last_dim numeric := dims ->> -1;
BEGIN
    IF (columns ->> 'kind', constant ->> 'kind') IS DISTINCT FROM ('columns', 'constant') OR last_dim IS NULL
       OR jsonb_array_length(columns -> 'blocks') <> 1 THEN
        RETURN NULL;
    ELSIF operator = 'MatMul' THEN
        RETURN CASE WHEN jsonb_array_length(dims) = 2 AND NOT block ? 'matrix' THEN
                    logintel._onnx_block(logintel._onnx_block(columns, '{}', (dims ->> 0)::numeric),
                                         jsonb_build_object('matrix', constant)) END;
    ELSIF logintel._onnx_size(constant) <> last_dim THEN
        RETURN NULL;
    ELSIF operator = 'Mul' THEN
        RETURN CASE WHEN NOT block ?| '{idf,norm,matrix}' THEN
                    logintel._onnx_block(columns, jsonb_build_object('idf', constant), last_dim) END;
    END IF;
    RETURN CASE WHEN block ? 'matrix' AND NOT block ? 'offset' THEN
                logintel._onnx_block(columns, jsonb_build_object('offset', constant), last_dim) END;
END
$function$;

COMMENT ON FUNCTION logintel._onnx_scale(jsonb, jsonb) IS 'What operators make that multiply columns by constants (idf; the coefficients of a linear model inside), or add constants to such a model''s scores.';

-- The norm is a Normalizer, or x / max(sqrt(sum(x^2)), floor), as training writes it because that runs faster.
CREATE OR REPLACE FUNCTION logintel._onnx_norm(bytes bytea, node jsonb, inputs jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    operator text := node ->> 'operator';
    columns jsonb := inputs -> 0;
    turned boolean := columns ->> 'kind' = 'constant';
    norm text := logintel._onnx_text(bytes, node, 'norm', 'MAX');
    axes double precision[] := logintel._onnx_integers(bytes, node, 'axes');
    normable boolean := coalesce(columns ->> 'kind' = 'columns' AND jsonb_array_length(columns -> 'blocks') = 1
                                 AND NOT columns #> '{blocks,0}' ?| '{norm,matrix}', false);
    normed jsonb := jsonb_build_object('norm', node -> 'at');
BEGIN
    IF operator = 'Normalizer' THEN
        RETURN CASE WHEN norm = 'L1' AND columns ->> 'kind' = 'probabilities' THEN columns
                    WHEN norm = 'L2' AND normable THEN logintel._onnx_block(columns, normed) END;
    ELSIF operator = 'ReduceL2' THEN
        IF inputs #>> '{1,kind}' = 'constant' THEN
            axes := logintel._onnx_constant(bytes, inputs -> 1);
        END IF;
        RETURN CASE WHEN normable AND logintel._onnx_number(bytes, node, 'keepdims', 1) = 1 AND axes IN ('{1}', '{-1}')
                    THEN jsonb_build_object('kind', 'norm', 'of', columns) END;
    ELSIF operator = 'Max' THEN
        RETURN CASE WHEN jsonb_array_length(inputs) = 2 AND (inputs #>> '{0,kind}', inputs #>> '{1,kind}')
                                                            IN (('norm', 'constant'), ('constant', 'norm'))
                         AND logintel._onnx_size(inputs -> (1 - turned::integer)) = 1
                    THEN (inputs -> turned::integer)
                         || jsonb_build_object('floor', inputs -> (1 - turned::integer)) END;
    END IF;
    RETURN CASE WHEN normable AND inputs #>> '{1,kind}' = 'norm' AND inputs #> '{1,of}' = columns
                     AND inputs -> 1 ? 'floor'
                     AND (logintel._onnx_constant(bytes, inputs #> '{1,floor}'))[1] > 0 THEN
                logintel._onnx_block(columns, normed || jsonb_build_object('floor', inputs #> '{1,floor}')) END;
END
$function$;

COMMENT ON FUNCTION logintel._onnx_norm(bytea, jsonb, jsonb) IS 'What operators make that divide columns by their length. Probabilities have been divided by their sum already.';

CREATE OR REPLACE FUNCTION logintel._onnx_join(bytes bytea, node jsonb, inputs jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF EXISTS (SELECT FROM jsonb_array_elements(inputs) AS i (value) WHERE i.value ->> 'kind' <> 'columns') THEN
        RETURN NULL;
    ELSIF node ->> 'operator' = 'Concat' THEN
        -- Columns joined with themselves double each time.
        PERFORM logintel._refuse_unless(sum(jsonb_array_length(i.value -> 'blocks')) <= 64,
                                        'a graph that joins more than 64 vectorizers')
        FROM jsonb_array_elements(inputs) AS i (value);
        RETURN (SELECT CASE WHEN logintel._onnx_number(bytes, node, 'axis', 0) IN (1, -1) THEN jsonb_build_object(
                            'kind', 'columns', 'blocks', jsonb_agg(b.value ORDER BY i.place, b.place)) END
                FROM jsonb_array_elements(inputs) WITH ORDINALITY AS i (value, place)
                CROSS JOIN jsonb_array_elements(i.value -> 'blocks') WITH ORDINALITY AS b (value, place));
    END IF;
    RETURN jsonb_build_object('kind', 'labels', 'node', node, 'blocks', inputs #> '{0,blocks}');
END
$function$;

COMMENT ON FUNCTION logintel._onnx_join(bytea, jsonb, jsonb) IS 'What operators make that read any columns: more columns, or the labels and probabilities of a linear model.';

-- From blocks to rows.

-- Tokens hold no space, so an n-gram that has one within a word is never found: as a key it would be another n-gram's.
CREATE OR REPLACE FUNCTION logintel._onnx_ngrams(
    bytes bytea, block jsonb, OUT keys bigint[], OUT places integer[], OUT width bigint
)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET jit = off
SET plan_cache_mode = force_generic_plan AS
$function$
DECLARE
    node jsonb := block -> 'node';
    pool text[] := logintel._onnx_texts(bytes, node, 'pool_strings');
    starts bigint[] := logintel._onnx_integers(bytes, node, 'ngram_counts');
    indexes bigint[] := logintel._onnx_integers(bytes, node, 'ngram_indexes');
    shortest bigint := logintel._onnx_number(bytes, node, 'min_gram_length', 1);
    longest bigint := logintel._onnx_number(bytes, node, 'max_gram_length', 1);
    seed bigint := CASE block ->> 'feature' WHEN 'words' THEN 0 WHEN 'context' THEN 1 ELSE 3 END;
    ones integer := coalesce(starts[2], cardinality(pool));
    twos integer := (cardinality(pool) - ones) / 2;
BEGIN
    IF cardinality(starts) NOT IN (1, 2) OR starts[1] <> 0 OR ones NOT BETWEEN 0 AND cardinality(pool)
       OR cardinality(pool) <> ones + 2 * twos OR cardinality(indexes) <> ones + twos OR 0 > ANY (indexes) THEN
        PERFORM logintel._no_graph('the n-grams of a TfIdfVectorizer do not add up');
    END IF;
    PERFORM logintel._refuse_unless(block ->> 'pad' <> ALL (pool),
                                    format('a vocabulary that holds "%s"', block ->> 'pad'));
    PERFORM logintel._refuse_unless(seed = 0 OR longest = 1, format('pairs of words in %s', block ->> 'feature'));
    width := 1 + (SELECT max(i) FROM unnest(indexes) AS i);
    SELECT array_agg(hashtextextended(g.ngram COLLATE "C", seed)), array_agg(g.place) INTO keys, places
    FROM (SELECT u.word AS ngram, u.place::integer FROM unnest(pool[:ones], indexes[:ones]) AS u (word, place)
          WHERE shortest = 1 AND u.word <> '' AND strpos(u.word, ' ') = 0
          UNION ALL
          SELECT u.one || ' ' || u.two, indexes[ones + (u.n + 1) / 2]::integer
          FROM unnest(pool[ones + 1:], pool[ones + 2:]) WITH ORDINALITY AS u (one, two, n)
          WHERE longest = 2 AND u.n % 2 = 1 AND u.one <> '' AND u.two <> '' AND strpos(u.one || u.two, ' ') = 0) AS g;
END
$function$;

COMMENT ON FUNCTION logintel._onnx_ngrams(bytea, jsonb) IS 'The n-grams that a vectorizer can find, as keys, with their columns, and how many columns it has.';

CREATE OR REPLACE FUNCTION logintel._onnx_categories(
    bytes bytea, block jsonb, OUT keys bigint[], OUT places integer[], OUT width bigint
)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    categories text[] := logintel._onnx_texts(bytes, block -> 'node', 'cats_strings');
    feature text := block ->> 'feature';
BEGIN
    -- A level is a single token, if it is there at all.
    PERFORM logintel._refuse_unless(
        feature = 'words'
        OR feature = 'level' AND NOT EXISTS (SELECT FROM unnest(categories) AS c WHERE c = '' OR strpos(c, ' ') > 0),
        format('the operator OneHotEncoder that reads %s', feature));
    width := cardinality(categories);
    SELECT array_agg(hashtextextended(c.name COLLATE "C", CASE feature WHEN 'words' THEN 2 ELSE 3 END)),
           array_agg(c.place - 1)
    INTO keys, places FROM unnest(categories) WITH ORDINALITY AS c (name, place);
END
$function$;

COMMENT ON FUNCTION logintel._onnx_categories(bytea, jsonb) IS 'The texts that an encoder knows, as keys, with their columns, and how many columns it has.';

-- A block's part of the coefficients, a class after the other, becomes rows with a weight a class.
CREATE OR REPLACE FUNCTION logintel._onnx_rows(
    bytes bytea, block jsonb, coefficients double precision[], classes integer, first bigint,
    OUT keys bigint[], OUT idfs real[], OUT weights double precision[], OUT offsets double precision[], OUT width bigint
)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET jit = off
SET plan_cache_mode = force_generic_plan AS
$function$
DECLARE
    places integer[];
    known bigint;
    all_columns integer := cardinality(coefficients) / classes;
    idf double precision[] := CASE WHEN block ? 'idf' THEN logintel._onnx_constant(bytes, block -> 'idf') END;
    -- What is as small as this has no square, or is below the floor that a norm has here.
    least double precision := CASE WHEN block ? 'norm' THEN 1e-15 END;
    is_binary boolean := block ? 'binary';
BEGIN
    PERFORM logintel._refuse_unless(block ->> 'feature' IN ('words', 'context', 'level'),
                                    format('the input %s', block ->> 'feature'));
    PERFORM logintel._refuse_unless(NOT (is_binary AND block ? 'norm'), 'a norm of n-grams that count once');
    IF block ? 'whole' THEN
        SELECT c.* INTO keys, places, known FROM logintel._onnx_categories(bytes, block) AS c;
    ELSE
        SELECT n.* INTO keys, places, known FROM logintel._onnx_ngrams(bytes, block) AS n;
    END IF;
    width := CASE WHEN block ? 'matrix' THEN (block #>> '{matrix,dims,1}')::bigint ELSE known END;
    IF known IS NULL OR first + width > all_columns
       OR EXISTS (SELECT FROM jsonb_array_elements(block -> 'widths') AS w (value)
                  WHERE w.value <> to_jsonb(known)) THEN
        PERFORM logintel._no_graph(format('an operator %s has another number of columns than what reads them',
                                          block #>> '{node,operator}'));
    END IF;
    keys := coalesce(keys, '{}');
    places := coalesce(places, '{}');
    PERFORM logintel._refuse_unless((SELECT count(DISTINCT k) = cardinality(keys) FROM unnest(keys) AS k)
                                    AND (SELECT count(DISTINCT p) = cardinality(places) FROM unnest(places) AS p),
                                    'a vocabulary that holds something twice');
    IF block ? 'matrix' THEN
        SELECT p.weights, p.offsets INTO weights, offsets
        FROM logintel._onnx_product(bytes, block, coefficients, classes, first::integer, places) AS p;
    ELSE
        weights := ARRAY(SELECT coefficients[g % classes * all_columns + first::integer + places[g / classes + 1] + 1]
                         FROM generate_series(0, cardinality(places) * classes - 1) AS g);
    END IF;
    IF is_binary AND idf IS NOT NULL THEN
        weights := ARRAY(SELECT weights[g + 1] * idf[places[g / classes + 1] + 1]
                         FROM generate_series(0, cardinality(weights) - 1) AS g);
    END IF;
    idfs := ARRAY(SELECT CASE WHEN NOT is_binary THEN coalesce(idf[p + 1], 1) END FROM unnest(places) AS p)::real[];
    IF block ? 'floor' THEN
        least := greatest(least, (logintel._onnx_constant(bytes, block -> 'floor'))[1]);
    END IF;
    PERFORM logintel._refuse_unless(NOT EXISTS (SELECT FROM unnest(idfs) AS i WHERE abs(i) < least),
                                    'a norm of next to nothing');
END
$function$;

COMMENT ON FUNCTION logintel._onnx_rows(bytea, jsonb, double precision[], integer, bigint) IS 'The rows of a block, given the classifier''s coefficients and the first of its columns that is the block''s.';

-- Scores of a linear model inside, matrix [columns, scores], that the classifier weighs: their product is weights of
-- that model's n-grams. Eight scores a pass, as each makes the array anew; zeros stand for scores that there are not.
CREATE OR REPLACE FUNCTION logintel._onnx_product(
    bytes bytea, block jsonb, coefficients double precision[], classes integer, first integer, places integer[],
    OUT weights double precision[], OUT offsets double precision[]
)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET jit = off
SET plan_cache_mode = force_generic_plan AS
$function$
DECLARE
    scores integer := block #>> '{matrix,dims,1}';
    all_columns integer := cardinality(coefficients) / classes;
    matrix double precision[] := logintel._onnx_constant(bytes, block -> 'matrix')
                                 || array_fill(0::double precision, ARRAY[8]);
    added double precision[] := CASE WHEN block ? 'offset' THEN logintel._onnx_constant(bytes, block -> 'offset') END;
    w double precision[];
BEGIN
    PERFORM logintel._refuse_unless(scores BETWEEN 1 AND 20, 'a matrix of more than 20 columns');
    FOR pass IN 0 .. (scores - 1) / 8 LOOP
        w := ARRAY(SELECT CASE WHEN k.score < scores
                               THEN coefficients[g / 8 * all_columns + first + k.score + 1] ELSE 0 END
                   FROM generate_series(0, classes * 8 - 1) AS g
                   CROSS JOIN LATERAL (SELECT pass * 8 + g % 8) AS k (score));
        weights := ARRAY(
            SELECT coalesce(weights[r.number + 1], 0) + matrix[r.m] * w[r.c] + matrix[r.m + 1] * w[r.c + 1]
                   + matrix[r.m + 2] * w[r.c + 2] + matrix[r.m + 3] * w[r.c + 3] + matrix[r.m + 4] * w[r.c + 4]
                   + matrix[r.m + 5] * w[r.c + 5] + matrix[r.m + 6] * w[r.c + 6] + matrix[r.m + 7] * w[r.c + 7]
            FROM (SELECT g AS number, places[g / classes + 1] * scores + pass * 8 + 1 AS m, g % classes * 8 + 1 AS c
                  FROM generate_series(0, cardinality(places) * classes - 1) AS g OFFSET 0) AS r);
    END LOOP;
    offsets := ARRAY(SELECT (SELECT coalesce(sum(added[k] * coefficients[c * all_columns + first + k]), 0)
                             FROM generate_series(1, scores) AS k)
                     FROM generate_series(0, classes - 1) AS c);
END
$function$;

COMMENT ON FUNCTION logintel._onnx_product(bytea, jsonb, double precision[], integer, integer, integer[]) IS 'The weights of the columns at these places through a linear model whose scores the classifier reads, and what that model adds.';

CREATE OR REPLACE FUNCTION logintel._onnx_classifier(
    bytes bytea, node jsonb, OUT classes text[], OUT intercepts double precision[], OUT coefficients double precision[]
)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    link text := logintel._onnx_text(bytes, node, 'post_transform', 'NONE');
    half integer;
BEGIN
    classes := logintel._onnx_texts(bytes, node, 'classlabels_strings');
    intercepts := logintel._onnx_floats(bytes, node, 'intercepts');
    coefficients := logintel._onnx_floats(bytes, node, 'coefficients');
    half := cardinality(coefficients) / 2;
    PERFORM logintel._refuse_unless(cardinality(classes) > 0, 'a LinearClassifier without classes that are texts');
    PERFORM logintel._refuse_unless(cardinality(classes) <= 20, 'a model of more than 20 classes');
    PERFORM logintel._refuse_unless(link = 'SOFTMAX' OR link = 'LOGISTIC' AND cardinality(classes) = 2,
                                    format('%s probabilities of %s classes', link, cardinality(classes)));
    IF cardinality(intercepts) <> cardinality(classes) OR cardinality(coefficients) % cardinality(classes) <> 0 THEN
        PERFORM logintel._no_graph('the coefficients of the LinearClassifier are not as many for each class');
    ELSIF link = 'LOGISTIC' THEN
        -- 1 / (1 + exp(-z)) is the softmax of -z/2 and z/2; each class has its own z here, one the other's opposite.
        PERFORM logintel._refuse_unless(
            intercepts[1] = - intercepts[2]
            AND NOT EXISTS (SELECT FROM unnest(coefficients[:half], coefficients[half + 1:]) AS u (one, other)
                            WHERE u.one <> - u.other),
            'a LOGISTIC model whose classes are not opposites');
        intercepts := ARRAY(SELECT i / 2 FROM unnest(intercepts) AS i);
        coefficients := ARRAY(SELECT c / 2 FROM unnest(coefficients) AS c);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._onnx_classifier(bytea, jsonb) IS 'Classes, intercepts and coefficients of a LinearClassifier, such that their softmax is its probabilities.';

CREATE OR REPLACE FUNCTION logintel._onnx_result(graph jsonb, vals jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    result jsonb := vals -> 'probabilities';
BEGIN
    PERFORM logintel._refuse_unless(
        graph -> 'outputs' @> '["label", "probabilities"]' AND vals #>> '{label,kind}' = 'labels'
        AND result ->> 'kind' = 'probabilities' AND vals #> '{label,node}' = result -> 'node',
        'a graph whose outputs are not the label and probabilities of one LinearClassifier');
    RETURN result;
END
$function$;

COMMENT ON FUNCTION logintel._onnx_result(jsonb, jsonb) IS 'The classifier whose label and probabilities are the outputs of the graph.';

CREATE OR REPLACE FUNCTION logintel._compile_graph(
    bytes bytea, OUT features text[], OUT classes text[], OUT intercepts double precision[],
    OUT keys bigint[], OUT norms smallint[], OUT idfs real[], OUT weights double precision[]
)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET jit = off
SET plan_cache_mode = force_generic_plan AS
$function$
DECLARE
    graph jsonb := logintel._onnx_graph(bytes);
    result jsonb;
    coefficients double precision[];
    block jsonb;
    part record;
    numbered text[] := '{}';
    column_count bigint := 0;
BEGIN
    PERFORM logintel._onnx_check(graph);
    result := logintel._onnx_result(graph, logintel._onnx_values(bytes, graph));
    features := ARRAY(SELECT i.name
                      FROM jsonb_array_elements_text(graph -> 'inputs') WITH ORDINALITY AS i (name, place)
                      WHERE result -> 'blocks' @> jsonb_build_array(jsonb_build_object('feature', i.name))
                      ORDER BY i.place);
    SELECT c.* INTO classes, intercepts, coefficients FROM logintel._onnx_classifier(bytes, result -> 'node') AS c;
    keys := '{}'; norms := '{}'; idfs := '{}'; weights := '{}';
    FOR block IN SELECT b.value FROM jsonb_array_elements(result -> 'blocks') WITH ORDINALITY AS b (value, place)
                 ORDER BY b.place LOOP
        IF block ? 'norm' AND block ->> 'norm' <> ALL (numbered) THEN
            numbered := numbered || (block ->> 'norm');
        END IF;
        SELECT r.* INTO part
        FROM logintel._onnx_rows(bytes, block, coefficients, cardinality(classes), column_count) AS r;
        keys := keys || part.keys;
        norms := norms || array_fill(coalesce(array_position(numbered, block ->> 'norm'), 0)::smallint,
                                     ARRAY[cardinality(part.keys)]);
        idfs := idfs || part.idfs;
        weights := weights || part.weights;
        intercepts := ARRAY(SELECT i.intercept + coalesce(i.added, 0)
                            FROM unnest(intercepts, part.offsets) AS i (intercept, added));
        column_count := column_count + part.width;
    END LOOP;
    IF column_count * cardinality(classes) <> cardinality(coefficients) THEN
        PERFORM logintel._no_graph('the LinearClassifier has other columns than what it reads');
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._compile_graph(bytea) IS 'What _compile() returns, before rows that say the same are added up.';

-- Bytes are taken as they come from a table: without being made plain first, each look at one of them would unpack all.
CREATE OR REPLACE FUNCTION logintel._compile(
    onnx bytea, OUT features text[], OUT classes text[], OUT intercepts double precision[],
    OUT keys bigint[], OUT norms smallint[], OUT idfs real[], OUT weights real[]
)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    exact double precision[];
BEGIN
    IF onnx IS NULL THEN
        PERFORM logintel._no_graph('there are none');
    END IF;
    PERFORM logintel._refuse_unless(octet_length(onnx) <= 67108864, 'a graph of more than 64 MB');
    SELECT g.* INTO features, classes, intercepts, keys, norms, idfs, exact
    FROM logintel._compile_graph(onnx || ''::bytea) AS g;
    IF EXISTS (SELECT FROM unnest(keys, norms, idfs) AS r (key, norm, idf)
               GROUP BY r.key, r.norm, r.idf HAVING count(*) > 1) THEN
        SELECT a.* INTO keys, norms, idfs, exact
        FROM logintel._added_up(keys, norms, idfs, exact, cardinality(classes)) AS a;
    END IF;
    -- What is less than a real can say is nothing.
    weights := ARRAY(SELECT CASE WHEN abs(w) < 1e-45 THEN 0 ELSE w END::real FROM unnest(exact) AS w);
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    IF starts_with(SQLERRM, 'the bytes are no ONNX graph: ') THEN
        RAISE;
    END IF;
    PERFORM logintel._no_graph(SQLERRM);
END
$function$;

COMMENT ON FUNCTION logintel._compile(bytea) IS 'A linear classifier as rows of weights: keys are hashes of n-grams of words (seed 0), tokens of context (1), whole words (2) and tokens of level (3); weights has one a class for each. The score of a class is its intercept plus the weights of the keys that are there, times count * idf where idf is not null, and for rows of a norm above 0 divided by the root of the sum of (count * idf)^2 over that norm''s keys. An error names what cannot be said so.';

CREATE OR REPLACE FUNCTION logintel._added_up(
    INOUT keys bigint[], INOUT norms smallint[], INOUT idfs real[], weights double precision[], classes integer,
    OUT sums double precision[]
)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET jit = off
SET plan_cache_mode = force_generic_plan AS
$function$
DECLARE
    firsts bigint[] := ARRAY(SELECT min(r.place) OVER (PARTITION BY r.key, r.norm, r.idf)
                             FROM unnest(keys, norms, idfs) WITH ORDINALITY AS r (key, norm, idf, place)
                             ORDER BY r.place);
BEGIN
    sums := ARRAY(SELECT sum(w.weight) FROM unnest(weights) WITH ORDINALITY AS w (weight, place)
                  GROUP BY firsts[(w.place - 1) / classes + 1], (w.place - 1) % classes
                  ORDER BY firsts[(w.place - 1) / classes + 1], (w.place - 1) % classes);
    SELECT array_agg(r.key ORDER BY r.place), array_agg(r.norm ORDER BY r.place), array_agg(r.idf ORDER BY r.place)
    INTO keys, norms, idfs
    FROM unnest(keys, norms, idfs, firsts) WITH ORDINALITY AS r (key, norm, idf, first, place) WHERE r.place = r.first;
END
$function$;

COMMENT ON FUNCTION logintel._added_up(bigint[], smallint[], real[], double precision[], integer) IS 'The rows with those added up that have the same key, norm and idf.';
