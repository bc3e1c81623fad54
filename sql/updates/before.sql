-- Begins every update. It waits here, while it holds nothing that others wait for, until those have ended who deploy
-- or do upkeep, then those who write lines, then those who score what waits. So none of them is a deadlock's victim.
SELECT logintel._lock_deployments();
DO $block$
DECLARE
    -- 0.1.0 has all in one schema.
    private CONSTANT text := CASE WHEN to_regclass('logintel.pending') IS NULL THEN 'logintel_internal' ELSE 'logintel' END;
    log_table regclass;
BEGIN
    FOR log_table IN EXECUTE format('SELECT a.log_table FROM %I.attachments a', private) LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', log_table);
    END LOOP;
    EXECUTE format('LOCK TABLE %I.pending IN SHARE ROW EXCLUSIVE MODE', private);
END
$block$;

-- Roles to which grant_read(), grant_work() and grant_manage() gave rights, for after.sql: by now they have them on what is there.
SELECT set_config('logintel.readers', coalesce(string_agg(DISTINCT a.grantee::text, ','), ''), true)
FROM pg_class c CROSS JOIN aclexplode(c.relacl) AS a
WHERE c.oid = 'logintel.ml_status'::regclass AND a.grantee NOT IN (0, c.relowner);
SELECT set_config('logintel.managers', coalesce(string_agg(DISTINCT a.grantee::text, ','), ''), true)
FROM pg_proc p CROSS JOIN aclexplode(p.proacl) AS a
WHERE p.pronamespace = 'logintel'::regnamespace AND p.proname = 'deploy' AND a.grantee NOT IN (0, p.proowner);
SELECT set_config('logintel.workers', coalesce(string_agg(DISTINCT a.grantee::text, ','), ''), true)
FROM pg_proc p CROSS JOIN aclexplode(p.proacl) AS a
WHERE p.pronamespace = 'logintel'::regnamespace AND p.proname IN ('take_pending', '_take_pending')
  AND a.grantee NOT IN (0, p.proowner);
