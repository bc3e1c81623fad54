-- A version has a row in an hour where it scored lines, where shapes were scored for lines that waited, where lines wait while it
-- was in force, and where scoring failed.
CREATE OR REPLACE FUNCTION logintel._measure(hours timestamptz[], waiting_hours timestamptz[], waiting_lines bigint[]) RETURNS SETOF logintel.model_metrics
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RETURN QUERY
    WITH served AS MATERIALIZED (
        SELECT * FROM logintel._measure_served(hours)),
    counted AS (
        SELECT h.hour, sum(h.lines) AS lines FROM logintel.hourly_counts h WHERE h.hour = ANY (hours) GROUP BY h.hour),
    waiting AS (
        SELECT w.* FROM unnest(waiting_hours, waiting_lines) AS w (hour, lines)),
    latencies AS MATERIALIZED (
        SELECT date_trunc('hour', s.scored_at, 'UTC') AS hour, m.name, m.version, avg(s.latency_us) AS mean,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY s.latency_us) AS p95, max(s.latency_us)::double precision AS max
        FROM logintel.shape_scores s
        JOIN logintel.model_sets t ON t.id = s.model_set_id
        JOIN logintel.models m ON m.id = ANY (t.model_ids)
        WHERE s.at_write AND s.scored_at >= (SELECT min(h) FROM unnest(hours) AS h)
          AND s.scored_at <= (SELECT max(h) + interval '59:59.999999' FROM unnest(hours) AS h)
          AND date_trunc('hour', s.scored_at, 'UTC') = ANY (hours)
        GROUP BY 1, 2, 3),
    rows AS (
        SELECT s.hour, s.name, s.version FROM served s
        UNION SELECT l.hour, l.name, l.version FROM latencies l
        UNION SELECT f.window_start, f.name, f.version FROM logintel.model_metrics f WHERE f.window_start = ANY (hours) AND f.failures > 0
        UNION SELECT w.hour, m.name, m.version
              FROM waiting w
              CROSS JOIN LATERAL (SELECT d.model_set_id FROM logintel.deployments d
                                  WHERE d.deployed_at < w.hour + interval '1 hour' ORDER BY d.id DESC LIMIT 1) AS d
              JOIN logintel.model_sets t ON t.id = d.model_set_id
              JOIN logintel.models m ON m.id = ANY (t.model_ids))
    SELECT r.name, r.version, r.hour, coalesce(s.predictions, 0),
           (coalesce(c.lines, 0) / nullif(coalesce(c.lines, 0) + coalesce(w.lines, 0), 0))::double precision,
           coalesce(j.feedback_lines, 0), j.accuracy, coalesce(s.declared_lines, CASE r.name WHEN 'level' THEN 0 END),
           s.declared_accuracy, j."precision", j.recall, j.false_positive_rate, j.calibration_error, s.declared_calibration_error,
           s.mean_confidence, s.abstained_share, l.mean, l.p95, l.max,
           1 - s.learned / s.predictions::double precision, coalesce(f.failures, 0), now()
    FROM rows r
    LEFT JOIN served s ON s.hour = r.hour AND s.name = r.name AND s.version = r.version
    LEFT JOIN logintel._measure_judged(hours) j ON j.hour = r.hour AND j.name = r.name AND j.version = r.version
    LEFT JOIN latencies l ON l.hour = r.hour AND l.name = r.name AND l.version = r.version
    LEFT JOIN logintel.model_metrics f ON f.window_start = r.hour AND f.name = r.name AND f.version = r.version
    LEFT JOIN counted c ON c.hour = r.hour
    LEFT JOIN waiting w ON w.hour = r.hour;
END
$function$;

COMMENT ON FUNCTION logintel._measure(timestamptz[], timestamptz[], bigint[]) IS 'What the rows of these hours in model_metrics have to be, given the lines that wait by the hour that they were queued in.';

CREATE OR REPLACE FUNCTION logintel._count_failures() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    WITH taken AS (
        DELETE FROM logintel.failures RETURNING date_trunc('hour', failed_at, 'UTC') AS hour, model_set_id, lines),
    noted AS (
        INSERT INTO logintel.changed_hours (hour) SELECT DISTINCT t.hour FROM taken t)
    INSERT INTO logintel.model_metrics AS f (name, version, window_start, failures)
    SELECT m.name, m.version, t.hour, sum(t.lines)
    FROM taken t
    JOIN logintel.model_sets s ON s.id = t.model_set_id
    JOIN logintel.models m ON m.id = ANY (s.model_ids)
    GROUP BY m.name, m.version, t.hour
    ON CONFLICT ON CONSTRAINT model_metrics_pkey DO UPDATE SET failures = f.failures + excluded.failures;
$function$;

COMMENT ON FUNCTION logintel._count_failures() IS 'Counts the lines that failed to be scored in the windows of the models that were in force.';

CREATE OR REPLACE FUNCTION logintel._take_changed_hours() RETURNS timestamptz[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    hours timestamptz[];
    verdicts bigint[];
BEGIN
    WITH taken AS (DELETE FROM logintel.changed_hours RETURNING hour)
    SELECT array_agg(DISTINCT t.hour) INTO hours FROM taken t;
    WITH taken AS (DELETE FROM logintel.changed_verdicts RETURNING feedback_id)
    SELECT array_agg(DISTINCT t.feedback_id) INTO verdicts FROM taken t;
    IF verdicts IS NOT NULL THEN
        hours := hours || ARRAY(
            SELECT date_trunc('hour', p."timestamp", 'UTC') FROM logintel.predictions p
            WHERE p.log_entry_id = ANY (ARRAY(SELECT f.log_entry_id FROM logintel.feedback f WHERE f.id = ANY (verdicts) AND f.scope = 'line'))
            UNION
            SELECT h.hour FROM logintel.hourly_counts h WHERE h.score_id IN (
                SELECT s.id FROM logintel.shape_scores s
                JOIN logintel.feedback f ON (f.shape).template = s.template AND f.id = ANY (verdicts) AND f.scope = 'template'));
    END IF;
    RETURN hours;
END
$function$;

COMMENT ON FUNCTION logintel._take_changed_hours() IS 'The hours whose lines or verdicts changed since this was last asked; some may come twice, null stands for none.';

-- In a few statements, however many hours there are, and planned for as many. An hour that lines wait since is noted for
-- the time when they wait no more. Rows of hours without lines stay, and of versions that are registered no more.
CREATE OR REPLACE FUNCTION logintel._measure_windows() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS
$function$
DECLARE
    hours timestamptz[];
    waiting_hours timestamptz[];
    waiting_lines bigint[];
    measured logintel.model_metrics[];
BEGIN
    PERFORM logintel._count_failures();
    SELECT array_agg(w.hour), array_agg(w.lines) INTO waiting_hours, waiting_lines
    FROM (SELECT date_trunc('hour', q.queued_at, 'UTC') AS hour, count(DISTINCT q.log_entry_id) AS lines FROM logintel.pending q GROUP BY 1) AS w;
    hours := ARRAY(SELECT DISTINCT h FROM unnest(logintel._take_changed_hours() || waiting_hours) AS h);
    IF hours <> '{}' THEN
        measured := ARRAY(SELECT m FROM logintel._measure(hours, waiting_hours, waiting_lines) m);
        DELETE FROM logintel.model_metrics m
        WHERE m.window_start = ANY (hours)
          AND EXISTS (SELECT FROM logintel.models v WHERE v.name = m.name AND v.version = m.version)
          AND (m.predictions = 0 OR EXISTS (SELECT FROM logintel.hourly_counts h WHERE h.hour = m.window_start));
        INSERT INTO logintel.model_metrics SELECT * FROM unnest(measured) ON CONFLICT DO NOTHING;
        INSERT INTO logintel.changed_hours (hour) SELECT h FROM unnest(waiting_hours) AS h;
    END IF;
    RETURN cardinality(hours);
END
$function$;

COMMENT ON FUNCTION logintel._measure_windows() IS 'Measures the models again in every hour that changed; returns how many hours.';
