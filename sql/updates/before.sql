-- Begins every update. It waits here, while it holds nothing that others wait for, until those have ended who deploy
-- or do upkeep, then those who write lines, then those who score what waits. So none of them is a deadlock's victim.
SELECT logintel._lock_deployments();
DO $block$
DECLARE
    log_table regclass;
BEGIN
    FOR log_table IN SELECT a.log_table FROM logintel_internal.attachments a LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', log_table);
    END LOOP;
END
$block$;
LOCK TABLE logintel_internal.pending IN SHARE ROW EXCLUSIVE MODE;

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
