-- How far a database's own levels go by the words: two numbers for odds = c0 + c1 * words, by logistic regression over
-- templates, held near an intercept of 0 (a little) and a slope of 1. With few templates, or of one kind, the usual
-- two.
CREATE OR REPLACE FUNCTION logintel._fit_words(words real[], problem boolean[], weights double precision[])
RETURNS double precision[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    best double precision[] := '{-1.5,1}';
    tried double precision[] := best;
    step double precision[];
    least_loss double precision := 'infinity';
    at record;
    determinant double precision;
BEGIN
    IF cardinality(words) < 20 OR NOT (true = ANY (problem) AND false = ANY (problem)) THEN
        RETURN best;
    END IF;
    FOR i IN 1 .. 60 LOOP  -- Newton's method, mostly done in six; a step that makes it worse is halved
        SELECT sum(t.weight * (CASE WHEN t.odds > 0 THEN t.odds + ln(1 + exp(-t.odds)) ELSE ln(1 + exp(t.odds)) END
                               - t.y * t.odds)) + 0.05 * tried[1] ^ 2 + 2.5 * (tried[2] - 1) ^ 2 AS loss,
               sum(t.weight * (t.y - t.p)) - 0.1 * tried[1] AS g0,
               sum(t.weight * (t.y - t.p) * t.word) - 5 * (tried[2] - 1) AS g1,
               sum(t.weight * t.p * (1 - t.p)) + 0.1 AS h00, sum(t.weight * t.p * (1 - t.p) * t.word) AS h01,
               sum(t.weight * t.p * (1 - t.p) * t.word ^ 2) + 5 AS h11
        INTO at
        FROM (SELECT u.word, u.weight, u.problem::integer AS y, o.odds, 1 / (1 + exp(-o.odds)) AS p
              FROM unnest(words, problem, weights) AS u (word, problem, weight)
              CROSS JOIN LATERAL (
                  SELECT least(greatest(tried[1] + tried[2] * u.word, -300), 300) AS odds) AS o) AS t;
        IF at.loss > least_loss THEN
            step := ARRAY[step[1] / 2, step[2] / 2];
        ELSE
            best := tried;
            least_loss := at.loss;
            determinant := at.h00 * at.h11 - at.h01 ^ 2;
            step := ARRAY[(at.h11 * at.g0 - at.h01 * at.g1) / determinant,
                          (at.h00 * at.g1 - at.h01 * at.g0) / determinant];
        END IF;
        EXIT WHEN abs(step[1]) + abs(step[2]) < 1e-6;
        tried := ARRAY[best[1] + step[1], best[2] + step[2]];
    END LOOP;
    RETURN best;
END
$function$;

COMMENT ON FUNCTION logintel._fit_words(real[], boolean[], double precision[]) IS 'Intercept and slope of the log-odds that templates declare a problem, over what their words say.';
