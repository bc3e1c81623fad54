-- A version has a row in an hour where it scored lines, where shapes were scored for lines that waited, and where scoring
-- failed. What verdicts say of it is kept.
CREATE OR REPLACE FUNCTION logintel._metrics_windows(hours timestamptz[]) RETURNS SETOF logintel_internal.model_metrics
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
    WITH served AS MATERIALIZED (
        SELECT * FROM logintel._metrics_served(hours)),
    latencies AS MATERIALIZED (
        SELECT * FROM logintel._metrics_latencies(hours)),
    counted AS (
        SELECT s.hour, sum(s.lines)::double precision AS lines FROM logintel_internal.metric_sums s
        WHERE s.hour = ANY (hours) GROUP BY s.hour),
    rows AS (
        SELECT s.hour, s.name, s.version FROM served s
        UNION SELECT l.hour, l.name, l.version FROM latencies l
        UNION SELECT f.window_start, f.name, f.version FROM logintel_internal.model_metrics f
              WHERE f.window_start = ANY (hours) AND f.failures > 0)
    SELECT r.name, r.version, r.hour, coalesce(s.predictions, 0), coalesce(c.lines, 0), coalesce(f.feedback_lines, 0), f.accuracy,
           coalesce(s.declared_lines, CASE r.name WHEN 'level' THEN 0 END), s.declared_accuracy, f."precision", f.recall,
           f.false_positive_rate, f.calibration_error, s.declared_calibration_error, s.mean_confidence, s.abstained_share,
           l.mean, l.p95, l.max, 1 - least(s.learned, s.predictions) / s.predictions::double precision,
           coalesce(f.failures, 0), now()
    FROM rows r
    LEFT JOIN served s ON s.hour = r.hour AND s.name = r.name AND s.version = r.version
    LEFT JOIN latencies l ON l.hour = r.hour AND l.name = r.name AND l.version = r.version
    LEFT JOIN logintel_internal.model_metrics f ON f.window_start = r.hour AND f.name = r.name AND f.version = r.version
    LEFT JOIN counted c ON c.hour = r.hour;
$function$;

COMMENT ON FUNCTION logintel._metrics_windows(timestamptz[]) IS 'What the rows of these hours in model_metrics have to be by the sums.';

-- Rows of hours without lines stay, and of versions that are registered no more.
CREATE OR REPLACE FUNCTION logintel._metrics_write_windows(hours timestamptz[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    measured logintel_internal.model_metrics[] := ARRAY(SELECT m FROM logintel._metrics_windows(hours) m);
BEGIN
    DELETE FROM logintel_internal.model_metrics m
    WHERE m.window_start = ANY (hours)
      AND EXISTS (SELECT FROM logintel_internal.models v WHERE v.name = m.name AND v.version = m.version)
      AND (m.predictions = 0 OR EXISTS (SELECT FROM logintel_internal.metric_sums s WHERE s.hour = m.window_start));
    INSERT INTO logintel_internal.model_metrics SELECT * FROM unnest(measured) ON CONFLICT DO NOTHING;
END
$function$;

COMMENT ON FUNCTION logintel._metrics_write_windows(timestamptz[]) IS 'Computes the rows of these hours in model_metrics again.';

CREATE OR REPLACE FUNCTION logintel._metrics_write_judged(hours timestamptz[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS
$function$
    UPDATE logintel_internal.model_metrics m
    SET feedback_lines = coalesce(j.feedback_lines, 0), accuracy = j.accuracy, "precision" = j."precision", recall = j.recall,
        false_positive_rate = j.false_positive_rate, calibration_error = j.calibration_error, measured_at = now()
    FROM logintel_internal.model_metrics w
    LEFT JOIN logintel._measure_judged(hours) j ON j.hour = w.window_start AND j.name = w.name AND j.version = w.version
    WHERE w.window_start = ANY (hours) AND m.window_start = w.window_start AND m.name = w.name AND m.version = w.version
      AND EXISTS (SELECT FROM logintel_internal.metric_sums s WHERE s.hour = w.window_start);
$function$;

COMMENT ON FUNCTION logintel._metrics_write_judged(timestamptz[]) IS 'Measures the versions again against the verdicts on the lines of these hours, as far as they have lines.';

CREATE OR REPLACE FUNCTION logintel._metrics_count_failures() RETURNS timestamptz[]
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    WITH taken AS (
        DELETE FROM logintel_internal.failures RETURNING date_trunc('hour', failed_at, 'UTC') AS hour, model_set_id,
            lines),
    counted AS (
        INSERT INTO logintel_internal.model_metrics AS f (name, version, window_start, failures)
        SELECT m.name, m.version, t.hour, sum(t.lines)
        FROM taken t
        JOIN logintel_internal.model_sets s ON s.id = t.model_set_id
        JOIN logintel_internal.models m ON m.id = ANY (s.model_ids)
        GROUP BY m.name, m.version, t.hour
        ON CONFLICT ON CONSTRAINT model_metrics_pkey DO UPDATE SET failures = f.failures + excluded.failures
        RETURNING f.window_start)
    SELECT array_agg(DISTINCT c.window_start) FROM counted c;
$function$;

COMMENT ON FUNCTION logintel._metrics_count_failures() IS 'Counts the lines that failed to be scored in the windows of the models that were in force; returns their hours.';

-- A window changes as little as its lines do: what it costs depends on the changes alone. A long backlog is read for a
-- second a call.
CREATE OR REPLACE FUNCTION logintel._task_091_measure_models() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS
$function$
DECLARE
    started_at timestamptz := clock_timestamp();
    hours timestamptz[] := logintel._metrics_count_failures();
    judged timestamptz[] := logintel._metrics_take_verdicts();
    changes record;
BEGIN
    LOOP
        SELECT * INTO changes FROM logintel._read_counts('metrics', 20000);
        EXIT WHEN changes.up_to_id = changes.after_id;
        hours := hours || logintel._metrics_add_counts(changes.after_id, changes.up_to_id);
        judged := judged || logintel._metrics_judged_changes(changes.after_id, changes.up_to_id);
        EXIT WHEN clock_timestamp() > started_at + interval '1 second';
    END LOOP;
    hours := ARRAY(SELECT DISTINCT h FROM unnest(hours) AS h);
    judged := ARRAY(SELECT DISTINCT h FROM unnest(judged) AS h);
    IF hours <> '{}' THEN
        PERFORM logintel._metrics_write_windows(hours);
        PERFORM logintel._metrics_remove_old_sums();
    END IF;
    IF judged <> '{}' THEN
        PERFORM logintel._metrics_write_judged(judged);
    END IF;
    RETURN (SELECT count(DISTINCT h) FROM unnest(hours || judged) AS h);
END
$function$;

COMMENT ON FUNCTION logintel._task_091_measure_models() IS 'Task of the upkeep: measures the models in every hour whose lines or verdicts changed; returns how many hours.';

CREATE OR REPLACE FUNCTION logintel._on_lines_forgotten_091_clear_metric_sums(subject bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF logintel._is_only_attachment(subject::integer) THEN
        DELETE FROM logintel_internal.metric_sums;
        DELETE FROM logintel_internal.metric_hours;
        DELETE FROM logintel_internal.latency_sums;
        DELETE FROM logintel_internal.judged_scores;
        PERFORM logintel._read_counts('metrics');
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._on_lines_forgotten_091_clear_metric_sums(bigint) IS 'Lets the sums begin at nothing; what was measured stays.';
