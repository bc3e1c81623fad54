-- What each version said of the lines of some hours: of the scores as they were made, whatever rescore() shows instead. All
-- lines of a score are alike, so the counts are reduced to few rows before anything is computed from them.
CREATE OR REPLACE FUNCTION logintel._calibration_bin(confidence double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE
RETURN least(floor(confidence * 10), 9);

COMMENT ON FUNCTION logintel._calibration_bin(double precision) IS 'Which of ten bins of equal width a confidence falls into.';

-- A score is learned in the hour of its first line, if it was not made before: where lines are scored as they are
-- written that is when, and where a backlog is scored it is the line that would have waited.
CREATE OR REPLACE FUNCTION logintel._measure_served(hours timestamptz[]) RETURNS TABLE (
    hour timestamptz, name text, version integer, predictions bigint, learned bigint, mean_confidence double precision,
    abstained_share double precision, declared_lines bigint, declared_accuracy double precision,
    declared_calibration_error double precision
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    threshold real := logintel._setting('anomaly_threshold');
    min_confidence real := logintel._setting('classification_min_confidence');
BEGIN
    RETURN QUERY
    WITH counted AS MATERIALIZED (
        SELECT h.hour, h.score_id, h.lines::double precision AS lines FROM logintel.hourly_counts h WHERE h.hour = ANY (hours)),
    scores AS MATERIALIZED (
        SELECT s.id, s.model_set_id, s.level_confidence::double precision AS level, s.category_confidence::double precision AS category,
               CASE WHEN s.anomaly_score >= threshold THEN s.anomaly_score ELSE 1 - s.anomaly_score END::double precision AS anomaly,
               s.level_confidence < min_confidence AS abstained, n.level = s.predicted_level AS declared_right,
               CASE WHEN s.at_write AND s.scored_at >= u.first_hour AND NOT EXISTS (
                        SELECT FROM logintel.hourly_counts e WHERE e.score_id = s.id AND e.hour < u.first_hour)
                    THEN u.first_hour END AS learned_in
        FROM (SELECT c.score_id, min(c.hour) AS first_hour FROM counted c GROUP BY c.score_id) AS u
        JOIN logintel.shape_scores s ON s.id = u.score_id
        LEFT JOIN logintel.level_names n ON n.name = lower(btrim(s.level))),
    alike AS (
        SELECT c.hour, s.model_set_id, s.abstained, s.declared_right, logintel._calibration_bin(s.level) AS bin, sum(c.lines) AS lines,
               sum(c.lines * s.level) AS level, sum(c.lines * s.category) AS category, sum(c.lines * s.anomaly) AS anomaly,
               count(*) FILTER (WHERE s.learned_in = c.hour) AS learned
        FROM counted c JOIN scores s ON s.id = c.score_id
        GROUP BY 1, 2, 3, 4, 5),
    binned AS (
        SELECT a.hour, m.name, m.version, sum(a.lines) AS lines, sum(a.learned) AS learned,
               sum(CASE m.name WHEN 'level' THEN a.level WHEN 'category' THEN a.category ELSE a.anomaly END) AS confidence,
               coalesce(sum(a.lines) FILTER (WHERE a.abstained), 0) AS abstained,
               coalesce(sum(a.lines) FILTER (WHERE a.declared_right IS NOT NULL), 0) AS declared,
               coalesce(sum(a.lines) FILTER (WHERE a.declared_right), 0) AS declared_right,
               coalesce(sum(a.level) FILTER (WHERE a.declared_right IS NOT NULL), 0) AS declared_confidence
        FROM alike a
        JOIN logintel.model_sets t ON t.id = a.model_set_id
        JOIN logintel.models m ON m.id = ANY (t.model_ids)
        GROUP BY a.hour, m.name, m.version, a.bin)
    SELECT b.hour, b.name, b.version, sum(b.lines)::bigint, sum(b.learned)::bigint, sum(b.confidence) / sum(b.lines),
           CASE WHEN b.name = 'level' THEN sum(b.abstained) / sum(b.lines) END,
           CASE WHEN b.name = 'level' THEN sum(b.declared)::bigint END,
           CASE WHEN b.name = 'level' THEN sum(b.declared_right) / nullif(sum(b.declared), 0) END,
           CASE WHEN b.name = 'level' THEN sum(abs(b.declared_confidence - b.declared_right)) / nullif(sum(b.declared), 0) END
    FROM binned b GROUP BY b.hour, b.name, b.version;
END
$function$;

COMMENT ON FUNCTION logintel._measure_served(timestamptz[]) IS 'Measures what each version said of the lines of these hours.';
