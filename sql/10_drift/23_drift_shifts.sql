-- The mix of services is that of the services known from training: new ones are a measure of their own. Half a line is
-- added to each bin: a few lines without a class do not prove that there is none of it.
CREATE OR REPLACE FUNCTION logintel._drift_shifts(model_id integer, day date) RETURNS TABLE (
    service text, measure text, value double precision, lines double precision, bins bigint, evidence jsonb
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    WITH shares AS (
        SELECT b.service, b.measure, b.bin, b.share AS before, 0::double precision AS lines
        FROM logintel_internal.baseline_shares b WHERE b.model_id = $1
        UNION ALL
        SELECT v.service, s.measure, s.bin, 0, s.lines
        FROM logintel_internal.drift_sums s CROSS JOIN LATERAL (SELECT s.service UNION SELECT NULL) AS v
        WHERE s.day = $2 AND s.measure IN ('classes', 'confidence', 'services') AND s.model_id = $1),
    bins AS (
        SELECT s.service, s.measure, s.bin, sum(s.before) AS before, sum(s.lines) AS lines,
               sum(s.lines) / nullif(sum(sum(s.lines)) OVER (PARTITION BY s.service, s.measure), 0) AS now
        FROM shares s GROUP BY 1, 2, 3 HAVING sum(s.before) > 0 OR sum(s.lines) > 0),
    ranked AS (
        SELECT b.*, m.lines AS baseline_lines,
               row_number() OVER (PARTITION BY b.service, b.measure ORDER BY abs(b.now - b.before) DESC, b.bin) AS rank
        FROM bins b
        JOIN logintel_internal.baseline_measures m ON m.model_id = $1 AND m.measure = b.measure
            AND (m.service IS NULL) = (b.service IS NULL) AND coalesce(m.service, '') = coalesce(b.service, ''))
    SELECT r.service, r.measure,
           logintel._population_stability_index(array_agg(r.before * r.baseline_lines + 0.5), array_agg(r.lines + 0.5)),
           sum(r.lines), count(*),
           jsonb_agg(jsonb_build_object('name', r.bin, 'before', round(r.before::numeric, 4), 'now', round(r.now::numeric, 4))
                     ORDER BY r.rank) FILTER (WHERE r.rank <= 10)
    FROM ranked r
    GROUP BY r.service, r.measure
    HAVING sum(r.before) > 0 AND sum(r.lines) >= logintel._drift_minimum(r.service);
$function$;

COMMENT ON FUNCTION logintel._drift_shifts(integer, date) IS 'How far classes, confidence and services of a day are from those of the training lines, where there are enough lines.';

CREATE OR REPLACE FUNCTION logintel._drift_news(model_id integer, day date) RETURNS TABLE (
    service text, measure text, value double precision, lines double precision, evidence jsonb
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    WITH shares AS (
        SELECT v.service, s.measure, sum(s.news) / sum(s.lines) AS value, sum(s.lines) AS lines
        FROM logintel_internal.drift_sums s CROSS JOIN LATERAL (SELECT s.service UNION SELECT NULL) AS v
        WHERE s.day = $2 AND s.measure IN ('new_templates', 'unknown_words', 'new_services') AND s.model_id = $1
          AND s.lines > 0
        GROUP BY 1, 2 HAVING sum(s.lines) >= logintel._drift_minimum(v.service)),
    ranked AS (
        SELECT v.service, n.measure, n.name, sum(n.lines) AS lines, sum(n.news) AS news,
               row_number() OVER (PARTITION BY v.service, n.measure ORDER BY sum(n.news) DESC, n.name) AS rank
        FROM logintel_internal.drift_news n CROSS JOIN LATERAL (SELECT n.service UNION SELECT NULL) AS v
        WHERE n.day = $2 AND n.model_id = $1
        GROUP BY 1, 2, 3),
    listed AS (
        SELECT r.service, r.measure,
               jsonb_agg(jsonb_build_object('name', r.name, 'lines', r.lines)
                             || CASE WHEN r.measure = 'unknown_words'
                                THEN jsonb_build_object('unknown_words', round((r.news / r.lines)::numeric, 4)) ELSE '{}' END
                         ORDER BY r.rank) AS evidence
        FROM ranked r WHERE r.rank <= 10 GROUP BY 1, 2)
    SELECT s.service, s.measure, s.value, s.lines, coalesce(l.evidence, '[]')
    FROM shares s
    LEFT JOIN listed l ON l.measure = s.measure
        AND (l.service IS NULL) = (s.service IS NULL) AND coalesce(l.service, '') = coalesce(s.service, '');
$function$;

COMMENT ON FUNCTION logintel._drift_news(integer, date) IS 'Which share of a day''s lines, or of their words, the training lines did not have, where there are enough lines.';
