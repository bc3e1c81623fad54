-- A day is more than some of its hours: mornings differ from nights. So a version is measured on a day once its lines are
-- of the hours in which nine tenths of its training lines were written: neither half a day, nor what is left of the day
-- after a deployment, is taken for drift. Training lines of less than a day tell nothing of its hours.
CREATE OR REPLACE FUNCTION logintel._drift_models(day date) RETURNS SETOF integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT b.model_id
    FROM logintel_internal.drift_sums s JOIN logintel_internal.baselines b USING (model_id)
    WHERE s.day = $1 AND s.measure = 'hours' AND s.lines > 0
    GROUP BY b.model_id
    HAVING coalesce(sum(b.hours[1 + s.bin::integer]), 1) >= 0.9;
$function$;

COMMENT ON FUNCTION logintel._drift_models(date) IS 'Model versions that have a baseline and served the lines of a day for nearly all of it.';

CREATE OR REPLACE FUNCTION logintel._drift_measure_day(a_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    model integer;
BEGIN
    FOR model IN SELECT logintel._drift_models(a_day) LOOP
        DELETE FROM logintel_internal.drift d WHERE d.model_id = model AND d.day = a_day;
        INSERT INTO logintel_internal.drift (model_id, day, service, measure, value, usual, watch_from, drift_from, lines, evidence)
        SELECT model, a_day, f.service, f.measure, f.value, m.usual, t.watch_from, t.drift_from, f.lines, f.evidence
        FROM (SELECT s.service, s.measure, s.value, s.lines, s.bins, s.evidence FROM logintel._drift_shifts(model, a_day) s
              UNION ALL
              SELECT n.service, n.measure, n.value, n.lines, NULL, n.evidence FROM logintel._drift_news(model, a_day) n) AS f
        JOIN logintel_internal.baseline_measures m ON m.model_id = model AND m.measure = f.measure
            AND (m.service IS NULL) = (f.service IS NULL) AND coalesce(m.service, '') = coalesce(f.service, '')
        CROSS JOIN LATERAL logintel._drift_thresholds(f.measure, m.usual, f.lines, m.lines, f.bins) AS t;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._drift_measure_day(date) IS 'Measures the drift of one day.';

-- Today changes every minute: it is measured again when its lines have grown by a tenth, or once an hour. Of a long
-- history, some days at a time, the newest first.
CREATE OR REPLACE FUNCTION logintel._drift_measure_days() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    today date := now() AT TIME ZONE 'UTC';
    due record;
    days bigint := 0;
BEGIN
    FOR due IN SELECT d.day, c.lines FROM logintel_internal.drift_days d
               CROSS JOIN LATERAL (SELECT coalesce(sum(s.lines), 0) AS lines FROM logintel_internal.drift_sums s
                                   WHERE s.day = d.day AND s.measure = 'hours') AS c
               WHERE d.changed AND (d.day < today OR d.measured_at IS NULL OR d.measured_at < date_trunc('hour', now())
                                    OR c.lines > 1.1 * d.measured_lines)
               ORDER BY d.day DESC LIMIT 10 LOOP
        PERFORM logintel._drift_measure_day(due.day);
        UPDATE logintel_internal.drift_days d SET changed = false, measured_at = now(), measured_lines = due.lines
        WHERE d.day = due.day;
        days := days + 1;
    END LOOP;
    RETURN days;
END
$function$;

COMMENT ON FUNCTION logintel._drift_measure_days() IS 'Measures drift on days whose sums changed; returns how many days.';

-- Without a baseline there is nothing to add. A long backlog is read for a second a call. Retention drops the oldest days.
CREATE OR REPLACE FUNCTION logintel._task_101_measure_drift() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    started_at timestamptz := clock_timestamp();
    has_baselines boolean := EXISTS (SELECT FROM logintel_internal.baselines);
    first_day date;
    changes record;
BEGIN
    LOOP
        SELECT * INTO changes FROM logintel._read_counts('drift', CASE WHEN has_baselines THEN 20000 END);
        EXIT WHEN changes.up_to_id = changes.after_id OR NOT has_baselines;
        PERFORM logintel._drift_add_counts(changes.after_id, changes.up_to_id);
        first_day := (SELECT min(h.hour) FROM logintel_internal.hourly_counts h
            WHERE h.hour > '-infinity') AT TIME ZONE 'UTC';
        EXIT WHEN clock_timestamp() > started_at + interval '1 second';
    END LOOP;
    DELETE FROM logintel_internal.drift_sums s WHERE s.day < first_day;
    DELETE FROM logintel_internal.drift_news n WHERE n.day < first_day;
    DELETE FROM logintel_internal.drift_days d WHERE d.day < first_day AND NOT d.changed;
    RETURN logintel._drift_measure_days();
END
$function$;

COMMENT ON FUNCTION logintel._task_101_measure_drift() IS 'Task of the upkeep: measures drift on the days whose lines changed; returns how many days.';

CREATE OR REPLACE FUNCTION logintel._on_lines_forgotten_101_clear_drift_sums(subject bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF logintel._is_only_attachment(subject::integer) THEN
        DELETE FROM logintel_internal.drift_sums;
        DELETE FROM logintel_internal.drift_news;
        DELETE FROM logintel_internal.drift_days;
        PERFORM logintel._read_counts('drift');
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._on_lines_forgotten_101_clear_drift_sums(bigint) IS 'Lets the sums begin at nothing; what was measured stays.';
