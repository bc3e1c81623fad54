-- The rule that decides A/B tests, as a function of numbers alone: the same for the product, its tests and `make
-- eval`.
--
-- The unit of evidence is a template. A model says the same of all lines of one shape, so ten thousand lines of one
-- template are one observation, and counting lines would make every difference significant.
--
-- Who looks at growing data again and again sees something in the end. So there are five looks, each at twice the
-- sample of the one before, and look k may spend significance * 2^(k-1) / 31. The parts add up to the whole, which
-- bounds the error however the looks depend on each other; the later looks, which see more, have more to spend. A look
-- that the sample has jumped over is never made.
CREATE OR REPLACE FUNCTION logintel._ab_look_significance(significance double precision, look integer) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN significance * 2.0::double precision ^ (look - 1) / 31;

COMMENT ON FUNCTION logintel._ab_look_significance(double precision, integer) IS 'What the n-th of five looks at an A/B test may spend of its significance.';

-- Enough to find a difference of 3 points in four of five tests by the last look: `make eval` shows it. Shadow tests
-- compare the same templates, and need less than half of what split tests need on each side.
CREATE OR REPLACE FUNCTION logintel._ab_default_sample(share double precision) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN share = 0 THEN 60 ELSE 140 END;

COMMENT ON FUNCTION logintel._ab_default_sample(double precision) IS 'Templates at the first look where start_ab_test() is told nothing.';

CREATE OR REPLACE FUNCTION logintel._ab_decision(
    paired boolean, minimum_sample integer, significance double precision, looks_done integer,
    champion_templates bigint, champion_right bigint, challenger_templates bigint, challenger_right bigint,
    champion_only bigint, challenger_only bigint,
    OUT sample bigint, OUT difference double precision, OUT lower double precision, OUT upper double precision,
    OUT statistic double precision, OUT p_value double precision, OUT look integer, OUT decision text
)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.sample, d.difference, d.lower, d.upper, d.z, d.p, d.look,
           CASE WHEN d.p <= logintel._ab_look_significance(significance, d.look) AND d.difference > 0 THEN 'promoted'
                WHEN d.p <= logintel._ab_look_significance(significance, d.look) AND d.difference < 0 THEN 'kept'
                WHEN d.look = 5 THEN 'undecided' END
    FROM (SELECT least(champion_templates, challenger_templates) AS sample) AS s
    CROSS JOIN LATERAL (
        SELECT CASE WHEN r.look > looks_done THEN r.look END AS look, c.*
        FROM (SELECT width_bucket(s.sample, ARRAY[m, 2 * m, 4 * m, 8 * m, 16 * m]) AS look FROM (SELECT minimum_sample::bigint AS m) AS f) AS r
        CROSS JOIN LATERAL (
            SELECT t.difference, t.lower, t.upper, t.z, t.p
            FROM logintel._two_proportions(champion_right, champion_templates, challenger_right, challenger_templates) AS t
            WHERE NOT paired
            UNION ALL
            SELECT w.difference, w.difference - w.half, w.difference + w.half,
                   coalesce((challenger_only - champion_only) / nullif(sqrt(champion_only + challenger_only), 0), 0),
                   logintel._mcnemar(champion_only, challenger_only)
            FROM (SELECT (challenger_only - champion_only) / nullif(s.sample, 0)::double precision AS difference) AS e
            CROSS JOIN LATERAL (SELECT e.difference, 1.959963984540054 * sqrt(greatest(champion_only + challenger_only - s.sample * e.difference ^ 2, 0)) / nullif(s.sample, 0) AS half) AS w
            WHERE paired) AS c) AS d;
END;

COMMENT ON FUNCTION logintel._ab_decision(boolean, integer, double precision, integer, bigint, bigint, bigint, bigint, bigint, bigint) IS 'What the templates of an A/B test show, the look that is due (null for none), and the decision: promoted, kept, undecided, or null while the test goes on.';

CREATE OR REPLACE FUNCTION logintel._ab_looks_done(test_id integer) RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT coalesce(max(l.look), 0) FROM logintel_internal.ab_looks l WHERE l.test_id = $1);

COMMENT ON FUNCTION logintel._ab_looks_done(integer) IS 'The last look at an A/B test that was made, 0 before the first.';
