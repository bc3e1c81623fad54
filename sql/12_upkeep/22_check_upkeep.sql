CREATE OR REPLACE FUNCTION logintel._check_121_upkeep() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT 'problem',
           format('maintain() fails to %s since %s: %s', u.task, date_trunc('second', u.failing_since), u.failure), u.next_step
    FROM logintel.ml_upkeep u WHERE u.failure IS NOT NULL
    UNION ALL
    SELECT CASE WHEN l.late THEN 'note' ELSE 'ok' END,
           coalesce('maintain() did all its tasks ' || date_trunc('second', now() - l.ran_at) || ' ago',
                    'maintain() never did all its tasks'),
           CASE WHEN l.late THEN 'let "logintel worker" run, or SELECT logintel.schedule() with pg_cron: '
                                 'every minute keeps views and look-ups fast' END
    FROM (SELECT r.ran_at, coalesce(r.ran_at < now() - interval '10 minutes', true) AS late
          FROM (SELECT CASE WHEN count(*) = count(u.ran_at) THEN min(u.ran_at) END AS ran_at
                FROM logintel.ml_upkeep u) AS r) AS l
    WHERE l.late OR NOT EXISTS (SELECT FROM logintel.ml_upkeep f WHERE f.failure IS NOT NULL);
$function$;

COMMENT ON FUNCTION logintel._check_121_upkeep() IS 'Check of doctor(): the tasks of maintain().';
