CREATE OR REPLACE FUNCTION logintel._calibration_bin(confidence double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE
RETURN least(floor(confidence * 10), 9);

COMMENT ON FUNCTION logintel._calibration_bin(double precision) IS 'Which of ten bins of equal width a confidence falls into.';

-- Adds what changed in the counts to the sums: of the scores as they were made, whatever rescore() shows instead. Each
-- score is looked up by its key; OFFSET 0 keeps the planner from reading all of them. A score is learned in the hour of
-- its first line, if it was not made before: where lines are scored as they are written that is when, and where a backlog
-- is scored it is the line that would have waited.
CREATE OR REPLACE FUNCTION logintel._metrics_add_counts(after_id bigint, up_to_id bigint, OUT hours timestamptz[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS
$function$
BEGIN
    INSERT INTO logintel_internal.metric_hours (hour, anomaly_threshold, min_confidence)
    SELECT c.hour, logintel._setting('anomaly_threshold')::real, logintel._setting('classification_min_confidence')::real
    FROM (SELECT DISTINCT hour FROM logintel_internal.count_changes WHERE id > after_id AND id <= up_to_id) AS c
    ON CONFLICT DO NOTHING;
    WITH changes AS MATERIALIZED (
        SELECT c.hour, c.lines, c.is_new AND s.at_write AS is_waited_for, s.scored_at, s.latency_us, s.model_set_id,
               s.level_confidence::double precision AS level, s.category_confidence::double precision AS category,
               CASE WHEN s.anomaly_score >= h.anomaly_threshold THEN s.anomaly_score
                    ELSE 1 - s.anomaly_score END::double precision AS anomaly,
               s.level_confidence < h.min_confidence AS abstained, n.level = s.predicted_level AS declared_right
        FROM logintel_internal.count_changes c
        JOIN logintel_internal.metric_hours h ON h.hour = c.hour
        CROSS JOIN LATERAL (SELECT o.* FROM logintel_internal.scores o WHERE o.id = c.score_id OFFSET 0) AS s
        LEFT JOIN logintel.level_names n ON n.name = logintel._level_name(s.level)
        WHERE c.id > after_id AND c.id <= up_to_id),
    served AS (
        INSERT INTO logintel_internal.metric_sums AS m
            (hour, model_set_id, abstained, declared_right, bin, lines, learned, level, category, anomaly)
        SELECT c.hour, c.model_set_id, c.abstained, c.declared_right, logintel._calibration_bin(c.level), sum(c.lines),
               count(*) FILTER (WHERE c.is_waited_for AND c.scored_at >= c.hour), coalesce(sum(c.lines * c.level), 0),
               coalesce(sum(c.lines * c.category), 0), coalesce(sum(c.lines * c.anomaly), 0)
        FROM changes c GROUP BY 1, 2, 3, 4, 5
        ON CONFLICT ON CONSTRAINT metric_sums_key DO UPDATE
        SET lines = m.lines + excluded.lines, learned = m.learned + excluded.learned, level = m.level + excluded.level,
            category = m.category + excluded.category, anomaly = m.anomaly + excluded.anomaly
        RETURNING m.hour),
    timed AS (
        INSERT INTO logintel_internal.latency_sums AS l (hour, model_set_id, bucket, scores, total_us, max_us)
        SELECT date_trunc('hour', c.scored_at, 'UTC'), c.model_set_id,
               round(16 * ln(greatest(c.latency_us, 0.01)::double precision) / ln(2::double precision))::integer,
               count(*), sum(c.latency_us::double precision), max(c.latency_us)
        FROM changes c WHERE c.is_waited_for GROUP BY 1, 2, 3
        ON CONFLICT ON CONSTRAINT latency_sums_pkey DO UPDATE
        SET scores = l.scores + excluded.scores, total_us = l.total_us + excluded.total_us,
            max_us = greatest(l.max_us, excluded.max_us)
        RETURNING l.hour)
    SELECT array_agg(DISTINCT c.hour) INTO hours FROM (SELECT hour FROM served UNION ALL SELECT hour FROM timed) AS c;
    DELETE FROM logintel_internal.metric_sums m
    WHERE m.hour IN (SELECT s.hour FROM logintel_internal.metric_sums s WHERE s.hour = ANY (hours)
                     GROUP BY s.hour HAVING sum(s.lines) <= 0);
END
$function$;

COMMENT ON FUNCTION logintel._metrics_add_counts(bigint, bigint) IS 'Adds some rows of count_changes to the sums; returns the hours whose sums changed.';

-- Retention drops the oldest days. What it drops was measured and stays so.
CREATE OR REPLACE FUNCTION logintel._metrics_remove_old_sums() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    first_hour timestamptz := (SELECT min(h.hour) FROM logintel_internal.hourly_counts h);
BEGIN
    DELETE FROM logintel_internal.metric_sums m WHERE m.hour < first_hour;
    DELETE FROM logintel_internal.metric_hours m WHERE m.hour < first_hour;
    DELETE FROM logintel_internal.latency_sums m WHERE m.hour < least(first_hour, date_trunc('hour', now()));
END
$function$;

COMMENT ON FUNCTION logintel._metrics_remove_old_sums() IS 'Removes the sums of hours before the first one that has lines.';

CREATE OR REPLACE FUNCTION logintel._metrics_served(hours timestamptz[]) RETURNS TABLE (
    hour timestamptz, name text, version integer, predictions bigint, learned bigint, mean_confidence double precision,
    abstained_share double precision, declared_lines bigint, declared_accuracy double precision,
    declared_calibration_error double precision
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
    WITH binned AS (
        SELECT s.hour, m.name, m.version, sum(s.lines)::double precision AS lines, sum(s.learned) AS learned,
               sum(CASE m.name WHEN 'level' THEN s.level WHEN 'category' THEN s.category ELSE s.anomaly END) AS confidence,
               coalesce(sum(s.lines) FILTER (WHERE s.abstained), 0)::double precision AS abstained,
               coalesce(sum(s.lines) FILTER (WHERE s.declared_right IS NOT NULL), 0)::double precision AS declared,
               coalesce(sum(s.lines) FILTER (WHERE s.declared_right), 0)::double precision AS declared_right,
               coalesce(sum(s.level) FILTER (WHERE s.declared_right IS NOT NULL), 0) AS declared_confidence
        FROM logintel_internal.metric_sums s
        JOIN logintel_internal.model_sets t ON t.id = s.model_set_id
        JOIN logintel_internal.models m ON m.id = ANY (t.model_ids)
        WHERE s.hour = ANY (hours)
        GROUP BY s.hour, m.name, m.version, s.bin)
    SELECT b.hour, b.name, b.version, sum(b.lines)::bigint, sum(b.learned)::bigint, sum(b.confidence) / sum(b.lines),
           CASE WHEN b.name = 'level' THEN sum(b.abstained) / sum(b.lines) END,
           CASE WHEN b.name = 'level' THEN sum(b.declared)::bigint END,
           CASE WHEN b.name = 'level' THEN sum(b.declared_right) / nullif(sum(b.declared), 0) END,
           CASE WHEN b.name = 'level' THEN sum(abs(b.declared_confidence - b.declared_right)) / nullif(sum(b.declared), 0) END
    FROM binned b GROUP BY b.hour, b.name, b.version HAVING sum(b.lines) > 0;
$function$;

COMMENT ON FUNCTION logintel._metrics_served(timestamptz[]) IS 'What each version said of the lines of these hours, from the sums.';

-- The percentile lies between two ranks; a bucket's mean stands for each latency in it.
CREATE OR REPLACE FUNCTION logintel._metrics_latencies(hours timestamptz[]) RETURNS TABLE (
    hour timestamptz, name text, version integer, mean double precision, p95 double precision, max double precision
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
    WITH buckets AS (
        SELECT l.hour, m.name, m.version, l.bucket, sum(l.scores) AS scores, sum(l.total_us) AS total_us, max(l.max_us) AS max_us
        FROM logintel_internal.latency_sums l
        JOIN logintel_internal.model_sets t ON t.id = l.model_set_id
        JOIN logintel_internal.models m ON m.id = ANY (t.model_ids)
        WHERE l.hour = ANY (hours)
        GROUP BY 1, 2, 3, 4),
    ranked AS (
        SELECT b.*, b.total_us / b.scores::double precision AS mean, sum(b.scores) OVER (version ORDER BY b.bucket) AS up_to,
               0.95 * (sum(b.scores) OVER version - 1) AS rank
        FROM buckets b WINDOW version AS (PARTITION BY b.hour, b.name, b.version)),
    between_ranks AS (
        SELECT r.hour, r.name, r.version, sum(r.total_us) / sum(r.scores)::double precision AS mean, max(r.max_us) AS max,
               min(r.mean) FILTER (WHERE r.up_to > floor(r.rank)) AS lower,
               min(r.mean) FILTER (WHERE r.up_to > ceil(r.rank)) AS upper,
               (r.rank - floor(r.rank))::double precision AS part
        FROM ranked r GROUP BY r.hour, r.name, r.version, r.rank)
    SELECT b.hour, b.name, b.version, b.mean, b.lower + (b.upper - b.lower) * b.part, b.max FROM between_ranks b;
$function$;

COMMENT ON FUNCTION logintel._metrics_latencies(timestamptz[]) IS 'How long the scores of these hours took that lines waited for, from the histograms.';
