-- Few of very many lines are wanted, and mostly the newest. So hours are looked for in windows, each twice as long as
-- the one after it: where many hours have such lines the first windows are enough, and where few have, few windows
-- cover all. The planner inlines it, so that a caller who stops at a LIMIT stops it, too.
CREATE OR REPLACE FUNCTION logintel._hours_of_scores(score_ids bigint[], more_hours timestamptz[], more_scores bigint[])
RETURNS TABLE (from_time timestamptz, to_time timestamptz, score_ids bigint[])
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH wanted AS MATERIALIZED (
        SELECT $1 AS ids),
    others AS MATERIALIZED (
        SELECT u.hour, u.score_id FROM logintel._uncounted() u, wanted w WHERE u.score_id = ANY (w.ids) AND u.lines > 0
        UNION
        SELECT m.hour, m.score_id FROM unnest($2, $3) AS m (hour, score_id)),
    newest AS MATERIALIZED (
        SELECT greatest((SELECT h.hour FROM logintel_internal.hourly_counts h ORDER BY h.hour DESC LIMIT 1),
                        (SELECT max(o.hour) FROM others o)) AS hour),
    windows AS (
        SELECT w.ids, n.hour - (2 ^ i - 1) * interval '1 hour' AS up_to,
               CASE WHEN i < 22 THEN n.hour - (2 ^ (i + 1) - 1) * interval '1 hour' END AS after
        FROM wanted w CROSS JOIN newest n CROSS JOIN generate_series(0, 22) AS i)
    SELECT greatest(h.hour, h.first_at), least(h.hour + interval '59:59.999999', h.last_at), h.score_ids
    FROM windows w
    CROSS JOIN LATERAL (
        SELECT k.hour, min(k.first_at) AS first_at, max(k.last_at) AS last_at, array_agg(k.score_id) AS score_ids
        FROM (SELECT c.hour, c.score_id, c.first_at, c.last_at FROM logintel_internal.hourly_counts c
              WHERE c.hour <= w.up_to AND c.hour > w.after AND c.score_id = ANY (w.ids)
              UNION ALL
              SELECT c.hour, c.score_id, c.first_at, c.last_at FROM logintel_internal.hourly_counts c
              WHERE c.hour <= w.up_to AND w.after IS NULL AND c.score_id = ANY (w.ids)
              UNION ALL
              SELECT o.hour, o.score_id, '-infinity', 'infinity' FROM others o
              WHERE o.hour <= w.up_to AND (o.hour > w.after OR w.after IS NULL)) AS k
        GROUP BY k.hour ORDER BY k.hour DESC) AS h;
END;

COMMENT ON FUNCTION logintel._hours_of_scores(bigint[], timestamptz[], bigint[]) IS 'When there are lines with some of these scores: hour by hour, newest first, from the first to the last, with those of the scores; and whole hours with scores that are given in pairs.';
