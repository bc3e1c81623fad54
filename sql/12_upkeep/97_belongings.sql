-- Whom all of this belongs to. Where a superuser installs it, a role without any rights of its own keeps it, and
-- another reads the log table for it: no function of logintel then runs with more, whatever code of others it should
-- come to call. The one that reads does so past row-level security, because every line is to be scored. The functions
-- called _installer_... stay with who installed logintel, and those in an untrusted language have to. Where an
-- ordinary role installs it, that role keeps it.
--
-- Roles are those of the whole server: one that somebody else prepared must not become one of these.
DO $block$
DECLARE
    wanted record;
    role pg_roles;
    members text;
BEGIN
    IF current_setting('is_superuser') = 'off' THEN
        RETURN;
    END IF;
    FOR wanted IN SELECT * FROM (VALUES ('logintel_owner', 'NOBYPASSRLS'), ('logintel_fetcher', 'BYPASSRLS'))
                                AS v (name, reads) LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN %s', wanted.name, wanted.reads);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- another database of this server has logintel too
        END;
        SELECT r.* INTO role FROM pg_roles r WHERE r.rolname = wanted.name;
        SELECT string_agg(pg_get_userbyid(m.member), ', ') INTO members FROM pg_auth_members m
        WHERE role.oid IN (m.roleid, m.member) AND NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = m.member);
        IF role.rolsuper OR role.rolcanlogin OR role.rolcreaterole OR role.rolcreatedb OR role.rolreplication
            OR members IS NOT NULL THEN
            RAISE EXCEPTION 'role % has rights or members (%), so it cannot keep logintel',
                            wanted.name, coalesce(members, 'none')
                USING ERRCODE = 'invalid_role_specification', HINT = 'Drop it, or take away what it has.';
        END IF;
        IF role.rolbypassrls <> (wanted.reads = 'BYPASSRLS') THEN
            EXECUTE format('ALTER ROLE %I %s', wanted.name, wanted.reads);
        END IF;
    END LOOP;
END
$block$;

DO $block$
DECLARE
    kept_by CONSTANT regrole := CASE WHEN current_setting('is_superuser') = 'on' THEN to_regrole('logintel_owner') END;
    thing record;
BEGIN
    IF kept_by IS NULL THEN
        RETURN;
    END IF;
    GRANT USAGE, CREATE ON SCHEMA logintel, logintel_internal TO logintel_owner;
    FOR thing IN
        SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
               c.oid::regclass::text AS name
        FROM pg_class c
        WHERE c.relnamespace = ANY ('{logintel,logintel_internal}'::regnamespace[])
          AND c.relkind IN ('r', 'p', 'v', 'S') AND c.relowner <> kept_by
          AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i'
                                                                           AND d.classid = 'pg_class'::regclass))
        UNION ALL
        SELECT 'TYPE', c.oid::regclass::text FROM pg_class c
        WHERE c.relnamespace = 'logintel'::regnamespace AND c.relkind = 'c' AND c.relowner <> kept_by
        UNION ALL
        SELECT 'ROUTINE', p.oid::regprocedure::text FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        WHERE p.pronamespace = 'logintel'::regnamespace AND p.proowner <> kept_by AND l.lanpltrusted
          AND p.proname NOT LIKE E'\\_installer\\_%'
          AND NOT logintel._installer_is_of_others(p.proname)
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO %s', thing.kind, thing.name, kept_by);
    END LOOP;
END
$block$;

-- A publication for all tables publishes deletions, which a table without a key has to be able to tell apart, or
-- PostgreSQL refuses them, and the deletion of a log line with them.
DO $block$
DECLARE
    tbl regclass;
BEGIN
    FOR tbl IN SELECT c.oid FROM pg_class c
               WHERE c.relnamespace = ANY ('{logintel,logintel_internal}'::regnamespace[])
                 AND c.relkind IN ('r', 'p') AND c.relreplident = 'd'
                 AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) LOOP
        EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', tbl);
    END LOOP;
END
$block$;

-- Who keeps it calls what stayed with others.
DO $block$
DECLARE
    of_others regprocedure;
BEGIN
    FOR of_others IN SELECT p.oid FROM pg_proc p
                     WHERE p.pronamespace = 'logintel'::regnamespace
                       AND p.proname LIKE E'\\_installer\\_%' LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', of_others);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', of_others, logintel._installer_keeper());
    END LOOP;
END
$block$;
