-- How far a database's own levels go by the words: two numbers for odds = c0 + c1 * words, by logistic regression over
-- templates, held near an intercept of 0 (a little) and a slope of 1. With few templates, or of one kind, the usual
-- two.
CREATE OR REPLACE FUNCTION logintel._fit_words(words real[], problem boolean[], weights double precision[])
RETURNS double precision[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    c0 double precision := -1.5;
    c1 double precision := 1;
    slope record;
    determinant double precision;
BEGIN
    IF cardinality(words) < 20 OR NOT (true = ANY (problem) AND false = ANY (problem)) THEN
        RETURN ARRAY[c0, c1];
    END IF;
    FOR step IN 1 .. 12 LOOP  -- Newton's method; it converges in six
        SELECT sum(t.weight * (t.y - t.p)) - 0.1 * c0 AS g0, sum(t.weight * (t.y - t.p) * t.word) - 5 * (c1 - 1) AS g1,
               sum(t.weight * t.p * (1 - t.p)) + 0.1 AS h00, sum(t.weight * t.p * (1 - t.p) * t.word) AS h01,
               sum(t.weight * t.p * (1 - t.p) * t.word ^ 2) + 5 AS h11
        INTO slope
        FROM (SELECT u.word, u.weight, u.problem::integer AS y,
                     1 / (1 + exp(-least(greatest(c0 + c1 * u.word, -30), 30))) AS p
              FROM unnest(words, problem, weights) AS u (word, problem, weight)) AS t;
        determinant := slope.h00 * slope.h11 - slope.h01 ^ 2;
        EXIT WHEN determinant < 1e-9;
        c0 := c0 + least(greatest((slope.h11 * slope.g0 - slope.h01 * slope.g1) / determinant, -3), 3);
        c1 := c1 + least(greatest((slope.h00 * slope.g1 - slope.h01 * slope.g0) / determinant, -3), 3);
    END LOOP;
    RETURN ARRAY[c0, c1];
END
$function$;

COMMENT ON FUNCTION logintel._fit_words(real[], boolean[], double precision[]) IS 'Intercept and slope of the log-odds that templates declare a problem, over what their words say.';
