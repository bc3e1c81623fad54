-- What is new is told by one model of a set, the first that has recorded it: logintel_server.scoring chooses the same.
-- Each score is looked up by its key; OFFSET 0 keeps the planner from reading all of them. The bins are those of
-- loader/logintel/training/baseline.py.
CREATE OR REPLACE FUNCTION logintel._drift_answers(score_ids bigint[]) RETURNS TABLE (
    score_id bigint, model_id integer, service text, own_service text, known_service text, class text, confidence text,
    template text, new_template integer, unknown_words real
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS
$function$
BEGIN
    RETURN QUERY
    WITH served AS MATERIALIZED (
        SELECT t.id AS model_set_id, m.id AS model_id, m.name, b.anomaly_threshold AS threshold,
               b.records_news AND row_number() OVER (
                   PARTITION BY t.id, b.records_news ORDER BY array_position(logintel._model_names(), m.name)) = 1 AS tells_news
        FROM logintel_internal.baselines b
        JOIN logintel_internal.models m ON m.id = b.model_id
        JOIN logintel_internal.model_sets t ON m.id = ANY (t.model_ids))
    SELECT i.id, m.model_id, s.masked, j.service, k.bin, v.class,
           (ARRAY['0.0-0.1', '0.1-0.2', '0.2-0.3', '0.3-0.4', '0.4-0.5', '0.5-0.6', '0.6-0.7', '0.7-0.8', '0.8-0.9', '0.9-1.0'])
               [least(floor(v.confidence::double precision * 10), 9) + 1],
           s.template, CASE WHEN m.tells_news THEN s.is_new_template::integer END,
           CASE WHEN m.tells_news THEN s.unknown_words END
    FROM unnest(score_ids) AS i (id)
    CROSS JOIN LATERAL (SELECT o.*, regexp_replace(o.service, '[0-9]+', '#', 'g') AS masked
                        FROM logintel_internal.scores o WHERE o.id = i.id OFFSET 0) AS s
    JOIN served m ON m.model_set_id = s.model_set_id
    LEFT JOIN logintel_internal.baseline_measures j ON j.model_id = m.model_id AND j.service = s.masked
        AND j.measure = 'classes'
    LEFT JOIN logintel_internal.baseline_shares k ON k.model_id = m.model_id AND k.bin = s.masked
        AND k.measure = 'services'
    CROSS JOIN LATERAL (
        SELECT s.predicted_level AS class, s.level_confidence AS confidence WHERE m.name = 'level'
        UNION ALL
        SELECT s.category, s.category_confidence WHERE m.name = 'category'
        UNION ALL
        SELECT CASE WHEN s.anomaly_score >= m.threshold THEN s.anomaly_type ELSE 'none' END, s.anomaly_score
        WHERE m.name = 'anomaly') AS v;
END
$function$;

COMMENT ON FUNCTION logintel._drift_answers(bigint[]) IS 'What versions with a baseline said by these scores: a row for each score and version, with the class and the bin of confidence that the baseline has. own_service is the service where the baseline measures it by itself, known_service where it has met it.';

-- Days as far as there is a next one.
CREATE OR REPLACE FUNCTION logintel._drift_add_counts(after_id bigint, up_to_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS
$function$
DECLARE
    score_ids bigint[] := ARRAY(
        SELECT DISTINCT c.score_id FROM logintel_internal.count_changes c WHERE c.id > after_id AND c.id <= up_to_id);
    days date[];
BEGIN
    WITH changes AS MATERIALIZED (
        SELECT a.*, c.lines, (c.hour AT TIME ZONE 'UTC')::date AS day,
               extract(hour FROM c.hour AT TIME ZONE 'UTC')::text AS hour
        FROM logintel_internal.count_changes c JOIN logintel._drift_answers(score_ids) a USING (score_id)
        WHERE c.id > after_id AND c.id <= up_to_id AND c.hour < '9999-12-31' AND c.hour > '-infinity'),
    alike AS MATERIALIZED (
        SELECT c.day, c.hour, c.model_id, c.own_service, c.known_service, c.class, c.confidence, c.new_template,
               sum(c.lines)::double precision AS lines, sum(c.lines * c.unknown_words) AS unknown_words
        FROM changes c GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, c.unknown_words IS NULL),
    summed AS (
        INSERT INTO logintel_internal.drift_sums AS d (day, measure, model_id, service, bin, lines, news)
        SELECT a.day, v.measure, a.model_id, v.service, v.bin, sum(a.lines), sum(v.news)
        FROM alike a
        CROSS JOIN LATERAL (VALUES
            (a.own_service, 'classes', a.class, 0),
            (a.own_service, 'confidence', a.confidence, 0),
            (NULL, 'services', a.known_service, 0),
            (NULL, 'hours', a.hour, 0),
            (NULL, 'new_services', '', CASE WHEN a.known_service IS NULL THEN a.lines ELSE 0 END),
            (a.own_service, 'new_templates', CASE WHEN a.new_template IS NOT NULL THEN '' END, a.lines * a.new_template),
            (a.own_service, 'unknown_words', CASE WHEN a.unknown_words IS NOT NULL THEN '' END, a.unknown_words))
            AS v (service, measure, bin, news)
        WHERE v.bin IS NOT NULL GROUP BY 1, 2, 3, 4, 5
        ON CONFLICT ON CONSTRAINT drift_sums_key DO UPDATE
        SET lines = d.lines + excluded.lines, news = d.news + excluded.news),
    named AS (
        SELECT c.day, v.measure, c.model_id, v.service, v.name, sum(c.lines) AS lines, sum(c.lines * v.share) AS news,
               row_number() OVER (PARTITION BY c.day, v.measure, c.model_id, v.service
                                  ORDER BY abs(sum(c.lines * v.share)) DESC) AS rank
        FROM changes c
        CROSS JOIN LATERAL (VALUES
            (c.own_service, 'new_templates', left(c.template, 200), c.new_template),
            (c.own_service, 'unknown_words', left(c.template, 200), c.unknown_words),
            (NULL, 'new_services', c.service, (c.known_service IS NULL)::integer)) AS v (service, measure, name, share)
        WHERE v.share > 0 GROUP BY 1, 2, 3, 4, 5),
    listed AS (
        INSERT INTO logintel_internal.drift_news AS d (day, measure, model_id, service, name, lines, news)
        SELECT n.day, n.measure, n.model_id, n.service, n.name, n.lines, n.news FROM named n WHERE n.rank <= 100
        ON CONFLICT ON CONSTRAINT drift_news_key DO UPDATE
        SET lines = d.lines + excluded.lines, news = d.news + excluded.news),
    noted AS (
        INSERT INTO logintel_internal.drift_days AS d (day) SELECT DISTINCT a.day FROM alike a
        ON CONFLICT ON CONSTRAINT drift_days_pkey DO UPDATE SET changed = true
        RETURNING d.day)
    SELECT array_agg(n.day) INTO days FROM noted n;
    DELETE FROM logintel_internal.drift_news d
    USING (SELECT n.ctid, n.news, row_number() OVER (PARTITION BY n.day, n.measure, n.model_id, n.service
                                                     ORDER BY n.news DESC, n.name) AS rank
           FROM logintel_internal.drift_news n WHERE n.day = ANY (days)) AS r
    WHERE d.ctid = r.ctid AND (r.rank > 100 OR r.news <= 0);
END
$function$;

COMMENT ON FUNCTION logintel._drift_add_counts(bigint, bigint) IS 'Adds some rows of count_changes to the sums and the lists of what is new.';
