CREATE OR REPLACE FUNCTION logintel.population_stability_index(expected double precision[], actual double precision[]) RETURNS double precision
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

COMMENT ON FUNCTION logintel.population_stability_index(double precision[], double precision[]) IS 'How far actual counts, or shares, of bins are from the expected ones: the sum of (actual - expected) * ln(actual / expected) over their shares, an empty bin taken for 0.0001. From 0.1 on worth a look, from 0.25 on another population, as a rule. Null where one side has no lines.';

-- An ensemble has no training lines of its own: it is judged by those of its first member that has recorded them.
CREATE OR REPLACE FUNCTION logintel._baseline(model_id integer) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT coalesce(m.metadata -> 'baseline',
                    (SELECT b.metadata -> 'baseline'
                     FROM jsonb_array_elements_text(m.metadata -> 'members') WITH ORDINALITY AS v (version, position)
                     JOIN logintel.models b ON b.name = m.name AND b.version = v.version::integer
                     WHERE b.metadata ? 'baseline' ORDER BY v.position LIMIT 1))
    FROM logintel.models m WHERE m.id = model_id;
$function$;

COMMENT ON FUNCTION logintel._baseline(integer) IS 'What the training lines of a model version were like; null where nobody recorded it, as for the default models.';

-- New words and templates are recorded by the baseline of one model of a set: logintel_server.scoring chooses the same.
CREATE OR REPLACE FUNCTION logintel._novelty_model(model_set_id integer) RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT m.id FROM logintel.model_sets s JOIN logintel.models m ON m.id = ANY (s.model_ids)
    WHERE s.id = model_set_id AND logintel._baseline(m.id) ?& '{templates,vocabulary}'
    ORDER BY array_position('{level,category,anomaly}', m.name) LIMIT 1;
$function$;

COMMENT ON FUNCTION logintel._novelty_model(integer) IS 'The model of a set by whose baseline its scores say what is new.';

-- The bins are those of loader/logintel/training/baseline.py.
CREATE OR REPLACE FUNCTION logintel._drift_counts(model_id integer, day date) RETURNS TABLE (
    score_id bigint, service text, class text, confidence text, template text, new_template integer, unknown_words real, lines double precision
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    -- Metadata is large: read once, not for every score.
    WITH served AS MATERIALIZED (
        SELECT m.id AS model_set_id, logintel._novelty_model(m.id) = $1 AS tells_novelty
        FROM logintel.model_sets m WHERE $1 = ANY (m.model_ids)),
    model AS MATERIALIZED (
        SELECT m.name, (logintel._baseline(m.id) ->> 'anomaly_threshold')::real AS threshold FROM logintel.models m WHERE m.id = $1)
    SELECT s.id, regexp_replace(s.service, '[0-9]+', '#', 'g'), v.class,
           (ARRAY['0.0-0.1', '0.1-0.2', '0.2-0.3', '0.3-0.4', '0.4-0.5', '0.5-0.6', '0.6-0.7', '0.7-0.8', '0.8-0.9', '0.9-1.0'])
               [least(floor(v.confidence::double precision * 10), 9) + 1],
           s.template, CASE WHEN served.tells_novelty THEN s.is_new_template::integer END,
           CASE WHEN served.tells_novelty THEN s.unknown_words END, c.lines
    FROM (SELECT h.score_id, sum(h.lines)::double precision AS lines FROM logintel.hourly_counts h
          WHERE h.hour >= day::timestamp AT TIME ZONE 'UTC' AND h.hour < (day + 1)::timestamp AT TIME ZONE 'UTC'
          GROUP BY h.score_id) AS c
    JOIN logintel.shape_scores s ON s.id = c.score_id
    JOIN served USING (model_set_id)
    CROSS JOIN model
    CROSS JOIN LATERAL (
        SELECT s.predicted_level AS class, s.level_confidence AS confidence WHERE model.name = 'level'
        UNION ALL
        SELECT s.category, s.category_confidence WHERE model.name = 'category'
        UNION ALL
        SELECT CASE WHEN s.anomaly_score >= model.threshold THEN s.anomaly_type ELSE 'none' END, s.anomaly_score
        WHERE model.name = 'anomaly') AS v
    WHERE c.lines > 0;
$function$;

COMMENT ON FUNCTION logintel._drift_counts(integer, date) IS 'What a model version said of the lines of a day that it served: lines by score, with the class and the bin of confidence that its baseline has.';

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
