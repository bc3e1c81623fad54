-- The populations whose shift is judged: shares of bins as they were in training, of all lines and of each service.
CREATE OR REPLACE FUNCTION logintel._baseline_shares(baseline jsonb) RETURNS TABLE (service text, measure text, bin text, share double precision)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT p.service, 'classes', c.key, c.value::double precision
    FROM (SELECT NULL AS service, baseline AS shares UNION ALL SELECT s.key, s.value FROM jsonb_each(baseline -> 'services') s) AS p
    CROSS JOIN LATERAL jsonb_each_text(p.shares -> 'classes') AS c
    UNION ALL
    SELECT p.service, 'confidence', format('0.%s-%s', c.bin - 1, (c.bin / 10.0)::numeric(2, 1)), c.value::double precision
    FROM (SELECT NULL AS service, baseline AS shares UNION ALL SELECT s.key, s.value FROM jsonb_each(baseline -> 'services') s) AS p
    CROSS JOIN LATERAL jsonb_array_elements_text(p.shares -> 'confidence') WITH ORDINALITY AS c (value, bin)
    UNION ALL
    SELECT NULL, 'services', c.key, c.value::double precision FROM jsonb_each_text(baseline -> 'mix') AS c;
$function$;

COMMENT ON FUNCTION logintel._baseline_shares(jsonb) IS 'Shares of classes, of bins of confidence, and of services in the training lines; service is null for all lines.';

CREATE OR REPLACE FUNCTION logintel._usual(baseline jsonb, service text, measure text) RETURNS double precision
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN (CASE WHEN service IS NULL THEN baseline ELSE baseline #> ARRAY['services', service] END #>> ARRAY['usual', measure])::double precision;

COMMENT ON FUNCTION logintel._usual(jsonb, text, text) IS 'The most that a measure strayed in the training lines; null where nothing is known of it.';

CREATE OR REPLACE FUNCTION logintel._baseline_lines(baseline jsonb, service text) RETURNS double precision
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN (CASE WHEN service IS NULL THEN baseline ELSE baseline #> ARRAY['services', service] END ->> 'lines')::double precision;

COMMENT ON FUNCTION logintel._baseline_lines(jsonb, text) IS 'Training lines, of a service where one is named.';

-- Fewer lines say nothing; the same numbers are in loader/logintel/training/baseline.py.
CREATE OR REPLACE FUNCTION logintel._drift_minimum(service text) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN service IS NULL THEN 200 ELSE 50 END;

COMMENT ON FUNCTION logintel._drift_minimum(text) IS 'Lines a day that a judgement needs, of a service where one is named.';

-- The mix of services is that of the services known from training: new ones are a measure of their own. Half a line is
-- added to each bin: a few lines without a class do not prove that there is none of it.
CREATE OR REPLACE FUNCTION logintel._drift_shifts(model_id integer, day date, baseline jsonb) RETURNS TABLE (
    service text, measure text, value double precision, lines double precision, bins bigint, evidence jsonb
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    WITH counts AS MATERIALIZED (
        SELECT c.service, c.class, c.confidence, sum(c.lines) AS lines, baseline -> 'mix' ? c.service AS is_known
        FROM logintel._drift_counts(model_id, day) c GROUP BY 1, 2, 3),
    shares AS (
        SELECT s.service, s.measure, s.bin, s.share AS before, 0 AS lines FROM logintel._baseline_shares(baseline) s
        UNION ALL
        SELECT v.service, v.measure, v.bin, 0, c.lines
        FROM counts c
        CROSS JOIN LATERAL (VALUES
            (NULL, 'classes', c.class), (c.service, 'classes', c.class),
            (NULL, 'confidence', c.confidence), (c.service, 'confidence', c.confidence),
            (NULL, 'services', CASE WHEN c.is_known THEN c.service END)) AS v (service, measure, bin)
        WHERE v.bin IS NOT NULL),
    bins AS (
        SELECT s.service, s.measure, s.bin, sum(s.before) AS before, sum(s.lines) AS lines,
               sum(s.lines) / nullif(sum(sum(s.lines)) OVER (PARTITION BY s.service, s.measure), 0) AS now
        FROM shares s GROUP BY 1, 2, 3 HAVING sum(s.before) > 0 OR sum(s.lines) > 0),
    ranked AS (
        SELECT b.*, row_number() OVER (PARTITION BY b.service, b.measure ORDER BY abs(b.now - b.before) DESC) AS rank FROM bins b)
    SELECT r.service, r.measure,
           logintel.population_stability_index(array_agg(r.before * logintel._baseline_lines(baseline, r.service) + 0.5), array_agg(r.lines + 0.5)),
           sum(r.lines), count(*),
           jsonb_agg(jsonb_build_object('name', r.bin, 'before', round(r.before::numeric, 4), 'now', round(r.now::numeric, 4))
                     ORDER BY r.rank) FILTER (WHERE r.rank <= 10)
    FROM ranked r
    GROUP BY r.service, r.measure
    HAVING sum(r.before) > 0 AND sum(r.lines) >= logintel._drift_minimum(r.service);
$function$;

COMMENT ON FUNCTION logintel._drift_shifts(integer, date, jsonb) IS 'How far classes, confidence and services of a day are from those of the training lines.';

CREATE OR REPLACE FUNCTION logintel._drift_news(model_id integer, day date, baseline jsonb) RETURNS TABLE (
    service text, measure text, value double precision, lines double precision, evidence jsonb
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    WITH counts AS MATERIALIZED (
        SELECT c.service, c.template, c.new_template, c.unknown_words, c.lines,
               (NOT baseline -> 'mix' ? c.service)::integer AS new_service, baseline -> 'services' ? c.service AS is_judged
        FROM logintel._drift_counts(model_id, day) c),
    news AS (
        SELECT v.service, v.measure, v.what, sum(c.lines) AS lines, sum(c.lines * v.share) AS new_lines
        FROM counts c
        CROSS JOIN LATERAL (VALUES
            (NULL, 'new_templates', c.template, c.new_template), (c.service, 'new_templates', c.template, c.new_template),
            (NULL, 'unknown_words', c.template, c.unknown_words), (c.service, 'unknown_words', c.template, c.unknown_words),
            (NULL, 'new_services', c.service, c.new_service)) AS v (service, measure, what, share)
        WHERE v.share IS NOT NULL AND (v.service IS NULL OR c.is_judged)
        GROUP BY 1, 2, 3),
    ranked AS (
        SELECT n.*, row_number() OVER (PARTITION BY n.service, n.measure ORDER BY n.new_lines DESC, n.what) AS rank FROM news n)
    SELECT r.service, r.measure, sum(r.new_lines) / sum(r.lines), sum(r.lines),
           coalesce(jsonb_agg(jsonb_build_object('name', left(r.what, 200), 'lines', r.lines)
                                  || CASE WHEN r.measure = 'unknown_words'
                                     THEN jsonb_build_object('unknown_words', round((r.new_lines / r.lines)::numeric, 4)) ELSE '{}' END
                              ORDER BY r.rank) FILTER (WHERE r.rank <= 10 AND r.new_lines > 0), '[]')
    FROM ranked r
    GROUP BY r.service, r.measure
    HAVING sum(r.lines) >= logintel._drift_minimum(r.service);
$function$;

COMMENT ON FUNCTION logintel._drift_news(integer, date, jsonb) IS 'Which share of a day''s lines, or of their words, the training lines did not have.';
