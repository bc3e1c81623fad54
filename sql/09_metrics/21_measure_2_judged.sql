-- Lines of some hours by score and by what is true of them. A verdict on a template speaks for all lines of its scores,
-- save where one on the line itself says otherwise.
CREATE OR REPLACE FUNCTION logintel._judged_lines(hours timestamptz[]) RETURNS TABLE (
    hour timestamptz, score_id bigint, true_level text, true_category text, is_anomaly boolean, lines double precision
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    from_time timestamptz := (SELECT min(h) FROM unnest(hours) AS h);
    to_time timestamptz := (SELECT max(h) + interval '59:59.999999' FROM unnest(hours) AS h);  -- the last hour of all has no next
BEGIN
    RETURN QUERY
    WITH singly AS MATERIALIZED (
        SELECT date_trunc('hour', v."timestamp", 'UTC') AS hour, v.score_id, v.true_level, v.true_category, v.is_anomaly, count(*) AS lines
        FROM logintel_internal._line_truth v
        WHERE v."timestamp" >= from_time AND v."timestamp" <= to_time AND date_trunc('hour', v."timestamp", 'UTC') = ANY (hours)
        GROUP BY 1, 2, 3, 4, 5)
    SELECT j.hour, j.score_id, j.true_level, j.true_category, j.is_anomaly, j.lines::double precision FROM singly j
    UNION ALL
    SELECT h.hour, h.score_id, t.true_level, t.true_category, t.is_anomaly, h.lines - coalesce(j.lines, 0)::double precision
    FROM logintel_internal.judged_scores b
    JOIN logintel_internal.hourly_counts h ON h.score_id = b.score_id
    JOIN logintel_internal._score_truth t ON t.score_id = b.score_id
    LEFT JOIN (SELECT s.hour, s.score_id, sum(s.lines) AS lines FROM singly s GROUP BY 1, 2) AS j
           ON j.hour = h.hour AND j.score_id = h.score_id
    WHERE t.given_at IS NOT NULL AND h.hour = ANY (hours) AND h.lines > coalesce(j.lines, 0);
END
$function$;

COMMENT ON FUNCTION logintel._judged_lines(timestamptz[]) IS 'Lines of these hours that have a verdict, by score and by what the verdicts say.';

CREATE OR REPLACE FUNCTION logintel._measure_judged(hours timestamptz[]) RETURNS TABLE (
    hour timestamptz, name text, version integer, feedback_lines bigint, accuracy double precision, "precision" double precision,
    recall double precision, false_positive_rate double precision, calibration_error double precision
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RETURN QUERY
    WITH judged AS (
        SELECT j.hour, m.name, m.version, j.lines, j.is_anomaly AND m.name = 'anomaly' AS is_anomaly,
               a.answer = 'true' AS found, CASE WHEN m.name <> 'anomaly' THEN a.confidence END AS confidence,
               a.answer = logintel._true_answer(m.name, j.true_level, j.true_category, j.is_anomaly) AS is_right
        FROM logintel._judged_lines(hours) j
        JOIN logintel_internal.metric_hours h ON h.hour = j.hour
        JOIN logintel_internal.scores s ON s.id = j.score_id
        JOIN logintel_internal.model_sets t ON t.id = s.model_set_id
        JOIN logintel_internal.models m ON m.id = ANY (t.model_ids)
        JOIN LATERAL logintel._answers(s, h.anomaly_threshold) AS a ON a.name = m.name),
    binned AS (
        SELECT j.hour, j.name, j.version, sum(j.lines) AS lines, sum(j.lines * j.confidence) AS confidence,
               coalesce(sum(j.lines) FILTER (WHERE j.is_right), 0) AS is_right,
               coalesce(sum(j.lines) FILTER (WHERE j.is_anomaly), 0) AS anomalies,
               coalesce(sum(j.lines) FILTER (WHERE j.found), 0) AS found,
               coalesce(sum(j.lines) FILTER (WHERE j.found AND j.is_anomaly), 0) AS hits
        FROM judged j WHERE j.is_right IS NOT NULL
        GROUP BY j.hour, j.name, j.version, logintel._calibration_bin(j.confidence)),
    summed AS (
        SELECT b.hour, b.name, b.version, sum(b.lines) AS lines, sum(b.is_right) AS is_right, sum(b.anomalies) AS anomalies,
               sum(b.found) AS found, sum(b.hits) AS hits, sum(abs(b.confidence - b.is_right)) AS gaps
        FROM binned b GROUP BY b.hour, b.name, b.version)
    SELECT s.hour, s.name, s.version, s.lines::bigint, s.is_right / s.lines,
           CASE WHEN s.name = 'anomaly' THEN s.hits / nullif(s.found, 0) END,
           CASE WHEN s.name = 'anomaly' THEN s.hits / nullif(s.anomalies, 0) END,
           CASE WHEN s.name = 'anomaly' THEN (s.found - s.hits) / nullif(s.lines - s.anomalies, 0) END,
           s.gaps / s.lines
    FROM summed s;
END
$function$;

COMMENT ON FUNCTION logintel._measure_judged(timestamptz[]) IS 'Measures each version against the verdicts on the lines of these hours.';
