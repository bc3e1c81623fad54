-- A day is more than some of its hours: mornings differ from nights. So a version is judged on a day once its lines are
-- of the hours in which nine tenths of its training lines were written: neither half a day, nor what is left of the day
-- after a deployment, is taken for drift. Training lines of less than a day tell nothing of its hours.
CREATE OR REPLACE FUNCTION logintel._drift_models(day date) RETURNS SETOF integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    WITH served AS MATERIALIZED (
        SELECT s.model_set_id, h.hour
        FROM logintel.hourly_counts h JOIN logintel.shape_scores s ON s.id = h.score_id
        WHERE h.hour >= day::timestamp AT TIME ZONE 'UTC' AND h.hour < (day + 1)::timestamp AT TIME ZONE 'UTC'
        GROUP BY 1, 2),
    hours AS (
        SELECT DISTINCT m.id, v.hour
        FROM served v
        JOIN logintel.model_sets s ON s.id = v.model_set_id
        CROSS JOIN LATERAL unnest(s.model_ids) AS m (id))
    SELECT h.id
    FROM hours h
    JOIN (SELECT i.id, logintel._baseline(i.id) -> 'hours' AS shares FROM (SELECT DISTINCT id FROM hours) AS i
          WHERE logintel._baseline(i.id) IS NOT NULL) AS b USING (id)
    GROUP BY h.id, b.shares
    HAVING coalesce(sum((b.shares ->> extract(hour FROM h.hour AT TIME ZONE 'UTC')::integer)::double precision), 1) >= 0.9;
$function$;

COMMENT ON FUNCTION logintel._drift_models(date) IS 'Model versions that have a baseline and served the lines of a day for nearly all of it.';

CREATE OR REPLACE FUNCTION logintel._judge_day(a_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    model integer;
    baseline jsonb;
BEGIN
    FOR model IN SELECT logintel._drift_models(a_day) LOOP
        baseline := logintel._baseline(model);
        DELETE FROM logintel.drift d WHERE d.model_id = model AND d.day = a_day;
        INSERT INTO logintel.drift (model_id, day, service, measure, value, usual, watch_from, drift_from, lines, evidence)
        SELECT model, a_day, f.service, f.measure, f.value, u.usual, t.watch_from, t.drift_from, f.lines, f.evidence
        FROM (SELECT s.service, s.measure, s.value, s.lines, s.bins, s.evidence FROM logintel._drift_shifts(model, a_day, baseline) s
              UNION ALL
              SELECT n.service, n.measure, n.value, n.lines, NULL, n.evidence FROM logintel._drift_news(model, a_day, baseline) n) AS f
        CROSS JOIN LATERAL (SELECT logintel._usual(baseline, f.service, f.measure) AS usual) AS u
        CROSS JOIN LATERAL logintel._drift_thresholds(f.measure, u.usual, f.lines, logintel._baseline_lines(baseline, f.service), f.bins) AS t;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._judge_day(date) IS 'Judges the drift of one day.';

-- Today changes every minute: it is judged again when its lines have grown by a tenth, or once an hour. Of a long history,
-- some days at a time, the newest first: a deployment may be waiting.
CREATE OR REPLACE FUNCTION logintel._judge_drift() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    today date := now() AT TIME ZONE 'UTC';
    due record;
    days bigint := 0;
BEGIN
    FOR due IN SELECT d.day, c.lines FROM logintel.drift_days d
               CROSS JOIN LATERAL (SELECT coalesce(sum(h.lines), 0) AS lines FROM logintel.hourly_counts h
                                   WHERE h.hour >= d.day::timestamp AT TIME ZONE 'UTC' AND h.hour < (d.day + 1)::timestamp AT TIME ZONE 'UTC') AS c
               WHERE d.changed AND (d.day < today OR d.judged_at IS NULL OR d.judged_at < date_trunc('hour', now())
                                    OR c.lines > 1.1 * d.judged_lines)
               ORDER BY d.day DESC LIMIT 10 LOOP
        PERFORM logintel._judge_day(due.day);
        UPDATE logintel.drift_days d SET changed = false, judged_at = now(), judged_lines = due.lines WHERE d.day = due.day;
        days := days + 1;
    END LOOP;
    RETURN days;
END
$function$;

COMMENT ON FUNCTION logintel._judge_drift() IS 'Judges drift on the days whose counts changed; returns how many days.';
