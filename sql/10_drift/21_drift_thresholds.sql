CREATE OR REPLACE FUNCTION logintel._population_stability_index(expected double precision[], actual double precision[]) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF cardinality(expected) <> cardinality(actual) THEN
        RAISE EXCEPTION 'population_stability_index() compares the same bins, and got % and %', cardinality(expected), cardinality(actual)
            USING ERRCODE = 'array_subscript_error', HINT = 'Give each array one count or share for each bin, in the same order.';
    ELSIF 0 > ANY (expected) OR 0 > ANY (actual) THEN
        RAISE EXCEPTION 'population_stability_index() got a negative number'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Counts and shares are zero or more.';
    END IF;
    RETURN (SELECT sum((s.now - s.before) * ln(s.now / s.before))
            FROM (SELECT greatest(b.before / nullif(sum(b.before) OVER (), 0), 0.0001) AS before,
                         greatest(b.now / nullif(sum(b.now) OVER (), 0), 0.0001) AS now,
                         sum(b.before) OVER () > 0 AND sum(b.now) OVER () > 0 AS any_lines
                  FROM unnest(expected, actual) AS b (before, now)) AS s
            WHERE s.any_lines);
END
$function$;

COMMENT ON FUNCTION logintel._population_stability_index(double precision[], double precision[]) IS 'How far actual counts, or shares, of bins are from the expected ones: the sum of (actual - expected) * ln(actual / expected) over their shares, an empty bin taken for 0.0001. From 0.1 on worth a look, from 0.25 on another population, as a rule. Null where one side has no lines.';

-- Fewer lines say nothing; the same numbers are in loader/logintel/training/baseline.py.
CREATE OR REPLACE FUNCTION logintel._drift_minimum(service text) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN service IS NULL THEN 200 ELSE 50 END;

COMMENT ON FUNCTION logintel._drift_minimum(text) IS 'Lines a day that a judgement needs, of a service where one is named.';

-- What lines may do by chance is allowed for: where nothing has changed, the index is about that of chi-square with so many
-- bins; and a share strays by its standard error.
CREATE OR REPLACE FUNCTION logintel._drift_thresholds(measure text, usual double precision, lines double precision,
                                           baseline_lines double precision, bins bigint,
                                           OUT watch_from double precision, OUT drift_from double precision)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT greatest(f.watch, CASE WHEN f.is_share THEN 1 - (1 - u.usual) ^ 1.5 + u.chance ELSE greatest(1.5 * u.usual, u.chance) END),
           greatest(f.drift, CASE WHEN f.is_share THEN 1 - (1 - u.usual) ^ 2 + u.chance ELSE greatest(2 * u.usual, u.chance) END)
    FROM (VALUES ('classes', 0.1, 0.25, false), ('confidence', 0.1, 0.25, false), ('services', 0.1, 0.25, false),
                 ('new_templates', 0.05, 0.15, true), ('unknown_words', 0.01, 0.03, true), ('new_services', 0.01, 0.02, true))
             AS f (measure, watch, drift, is_share)
    CROSS JOIN LATERAL (
        SELECT coalesce($2, 0) AS usual,
               CASE WHEN f.is_share THEN 3 * sqrt(greatest($2, 0.01) * (1 - coalesce($2, 0)) / $3)
                    ELSE ($5 - 1 + 3 * sqrt(2 * ($5 - 1))) * (1 / $3 + 1 / $4) END AS chance) AS u
    WHERE f.measure = $1;
$function$;

COMMENT ON FUNCTION logintel._drift_thresholds(text, double precision, double precision, double precision, bigint) IS 'From which values on a measure is watch and drift: the customary ones, raised to what is usual for these lines and to what chance does to so few.';
