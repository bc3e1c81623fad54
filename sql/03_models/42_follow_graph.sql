-- The graph is followed node by node, and of each value it is noted what it is, as jsonb: a text (of which input), its
-- tokens, a constant, or columns: blocks side by side, which 43_columns.sql makes.

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
