-- From blocks of columns to rows of weights: a key, and a weight for each class.

-- Tokens hold no space, so an n-gram that has one within a word is never found: as a key it would be another n-gram's.
CREATE OR REPLACE FUNCTION logintel._onnx_ngrams(
    bytes bytea, block jsonb, OUT keys bigint[], OUT places integer[], OUT width bigint
)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET jit = off
SET plan_cache_mode = force_generic_plan AS
$function$
DECLARE
    node jsonb := block -> 'node';
    pool text[] := logintel._onnx_tokens(bytes, node, 'pool_strings');
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
