-- What a value of the graph is. Columns are blocks side by side; a block is what one vectorizer or encoder counts and
-- what became of the counts: "node" (that operator), "feature", "pad" (which no word may be), "whole" (an encoder),
-- "binary", "idf", "norm", "floor", "matrix", "offset", "widths" (what its width has to be).

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
