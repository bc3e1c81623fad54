-- The upper tail of the normal distribution, by Hart's approximation as West gives it ("Better approximations to cumulative
-- normal functions", 2005): right to 14 decimals, and to 8 digits where it is tiny. PostgreSQL has no erfc() before version 16.
CREATE OR REPLACE FUNCTION logintel._normal_tail(z double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN abs(z) > 37 THEN 0
    WHEN abs(z) < 1e-100 THEN 0.5  -- its square would be refused as too small for a double
    WHEN abs(z) < 7.07106781186547 THEN exp(-z * z / 2)
        * ((((((3.52624965998911e-02 * abs(z) + 0.700383064443688) * abs(z) + 6.37396220353165) * abs(z)
             + 33.912866078383) * abs(z) + 112.079291497871) * abs(z) + 221.213596169931) * abs(z) + 220.206867912376)
        / (((((((8.83883476483184e-02 * abs(z) + 1.75566716318264) * abs(z) + 16.064177579207) * abs(z)
             + 86.7807322029461) * abs(z) + 296.564248779674) * abs(z) + 637.333633378831) * abs(z)
             + 793.826512519948) * abs(z) + 440.413735824752)
    ELSE exp(-z * z / 2) / 2.506628274631 / (abs(z) + 1 / (abs(z) + 2 / (abs(z) + 3 / (abs(z) + 4 / (abs(z) + 0.65)))))
END;

COMMENT ON FUNCTION logintel._normal_tail(double precision) IS 'Probability that a standard normal variable is beyond |z| on one side.';

-- Terms of the binomial distribution are products of ever larger and ever smaller numbers, hence logarithms; exp() would
-- refuse a result too small for a double.
CREATE OR REPLACE FUNCTION logintel._mcnemar(champion_only bigint, challenger_only bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
        WHEN d.fewer < 0 THEN NULL
        WHEN d.n = 0 THEN 1
        WHEN d.n <= 10000 THEN least(1, 2 * (
            SELECT sum(exp(greatest(t.ln_ways - d.n * ln(2::double precision), -700)))
            FROM (SELECT sum(CASE WHEN i = 0 THEN 0 ELSE ln((d.n - i + 1) / i) END) OVER (ORDER BY i) AS ln_ways
                  FROM generate_series(0::bigint, d.fewer) AS i) AS t))
        ELSE 2 * logintel._normal_tail((abs(champion_only::double precision - challenger_only) - 1) / sqrt(d.n)) END
    FROM (SELECT champion_only::double precision + challenger_only AS n,
                 least(champion_only, challenger_only) AS fewer) AS d;
END;

COMMENT ON FUNCTION logintel._mcnemar(bigint, bigint) IS 'McNemar''s test of two models on the same cases: the two-sided p-value, given the cases that only the one and that only the other had right. Exact up to 10,000 such cases, beyond by chi-square with continuity correction. Null where a number is negative.';

CREATE OR REPLACE FUNCTION logintel._wilson("right" bigint, n bigint, OUT share double precision, OUT lower double precision, OUT upper double precision)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT p.share, w.center - w.half, w.center + w.half
    FROM (SELECT "right" / c.n AS share, c.n, 1.959963984540054::double precision AS z FROM (SELECT nullif(n, 0)::double precision AS n) AS c) AS p
    CROSS JOIN LATERAL (SELECT (p.share + p.z ^ 2 / (2 * p.n)) / (1 + p.z ^ 2 / p.n) AS center,
                               p.z * sqrt(p.share * (1 - p.share) / p.n + p.z ^ 2 / (4 * p.n ^ 2)) / (1 + p.z ^ 2 / p.n) AS half
                        WHERE p.share BETWEEN 0 AND 1) AS w;
END;

COMMENT ON FUNCTION logintel._wilson(bigint, bigint) IS 'A share with its 95% Wilson interval.';

CREATE OR REPLACE FUNCTION logintel._two_proportions(
    right_a bigint, n_a bigint, right_b bigint, n_b bigint,
    OUT difference double precision, OUT lower double precision, OUT upper double precision,
    OUT z double precision, OUT p double precision
)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT b.share - a.share,
           b.share - a.share - sqrt((b.share - b.lower) ^ 2 + (a.upper - a.share) ^ 2),
           b.share - a.share + sqrt((b.upper - b.share) ^ 2 + (a.share - a.lower) ^ 2),
           t.z, 2 * logintel._normal_tail(t.z)
    FROM logintel._wilson(right_a, n_a) AS a, logintel._wilson(right_b, n_b) AS b,
         LATERAL (SELECT (right_a::double precision + right_b) / (nullif(n_a, 0)::double precision + nullif(n_b, 0)) AS share) AS pooled,
         LATERAL (SELECT pooled.share * (1 - pooled.share) * (1 / nullif(n_a, 0)::double precision + 1 / nullif(n_b, 0)::double precision) AS variance) AS v,
         LATERAL (SELECT CASE WHEN v.variance > 0 THEN (b.share - a.share) / sqrt(v.variance) ELSE 0 * (b.share - a.share) END AS z) AS t;
END;

COMMENT ON FUNCTION logintel._two_proportions(bigint, bigint, bigint, bigint) IS 'Two shares compared, of cases that have nothing to do with each other: share b less share a, its 95% interval (Newcombe''s, from two Wilson intervals), the z of the pooled test, and the two-sided p-value. Nulls where there are no cases, or more right ones than cases.';
