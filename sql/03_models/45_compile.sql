-- The classifier at the end of the graph, and all of it together: see 41_read_graph.sql.

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
    PERFORM logintel._refuse_unless(cardinality(classes) BETWEEN 2 AND 20, 'a model of one class, or of more than 20');
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
