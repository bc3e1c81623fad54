-- What only the owner of a table, or a superuser, can do for logintel's role: these few functions stay with the role
-- that installed logintel, all others belong to a role that can do nothing (12_upkeep/97_belongings.sql). They run
-- nothing that anybody else wrote: they grant, create and drop triggers and functions. None reads a row of the log
-- table, or calls a function of another role.
CREATE OR REPLACE FUNCTION logintel._installer_keeper() RETURNS regrole
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT c.relowner::regrole FROM pg_class c WHERE c.oid = 'logintel_internal.locks'::regclass);

COMMENT ON FUNCTION logintel._installer_keeper() IS 'The role that logintel''s tables and most of its functions belong to.';

CREATE OR REPLACE FUNCTION logintel._installer_table_owner(log_table regclass) RETURNS regrole
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT c.relowner::regrole FROM pg_class c WHERE c.oid = log_table);

COMMENT ON FUNCTION logintel._installer_table_owner(regclass) IS 'The owner of a table.';

CREATE OR REPLACE FUNCTION logintel._installer_readers() RETURNS SETOF regrole
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT DISTINCT a.grantee::regrole
    FROM pg_class c CROSS JOIN aclexplode(c.relacl) AS a
    WHERE c.oid = 'logintel.log_lines'::regclass AND a.privilege_type = 'SELECT' AND a.grantee NOT IN (0, c.relowner);
END;

COMMENT ON FUNCTION logintel._installer_readers() IS 'Roles that grant_read() let read the views.';

CREATE OR REPLACE FUNCTION logintel._installer_columns(log_table regclass, columns jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = log_table AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attname IN (SELECT c.value FROM jsonb_each_text(columns) AS c));

COMMENT ON FUNCTION logintel._installer_columns(regclass, jsonb) IS 'The columns of a mapping, for GRANT.';

CREATE OR REPLACE FUNCTION logintel._installer_triggers() RETURNS TABLE (
    name name, event text, type smallint, old_table name, new_table name, calls text
)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    VALUES  -- type as in pg_trigger.tgtype: AFTER the event, FOR EACH STATEMENT
        ('logintel_insert'::name, 'INSERT', 4::smallint, NULL::name, 'new_lines'::name, 'logintel._score_new_lines'),
        ('logintel_update', 'UPDATE', 16, 'old_lines', 'new_lines', 'logintel._score_changed_lines'),
        ('logintel_delete', 'DELETE', 8, 'old_lines', NULL, 'logintel._forget_deleted_lines'),
        ('logintel_truncate', 'TRUNCATE', 32, NULL, NULL, 'logintel._forget_truncated_lines');
END;

COMMENT ON FUNCTION logintel._installer_triggers() IS 'The triggers that a log table and each of its partitions has.';

-- Who attaches a table has to own it, whoever calls this: the session's role is asked. What is run while a log table is
-- read for the upkeep is the doing of that table's owner, and not of the session's role. An ordinary role that
-- installed logintel does itself what takes the table's owner: it has to be that role, or a member of it.
CREATE OR REPLACE FUNCTION logintel._installer_check_owner(log_table regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    owner regrole := logintel._installer_table_owner(log_table);
    callers text;
BEGIN
    GET DIAGNOSTICS callers = PG_CONTEXT;
    IF NOT pg_has_role(session_user, owner, 'USAGE') OR strpos(callers, '_fetched(') > 0 THEN
        RAISE EXCEPTION 'must be owner of table %', log_table USING ERRCODE = 'insufficient_privilege';
    ELSIF NOT pg_has_role(current_user, owner, 'USAGE') THEN
        RAISE EXCEPTION 'role %, which installed logintel, is no member of %, the owner of %', current_user, owner,
                        log_table
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('GRANT %s TO %I, or let a superuser install logintel.', owner, current_user);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._installer_check_owner(regclass) IS 'Raises an error unless the session''s role, and the one that installed logintel, may do what a table''s owner may.';

-- Code of an index that PostgreSQL runs for the maintenance of a table is not the doing of the session's role; there,
-- UNLISTEN is forbidden.
CREATE OR REPLACE FUNCTION logintel._installer_take_on(attached logintel_internal.attachments) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    log_table CONSTANT regclass := attached.log_table;
    owner regrole := logintel._installer_table_owner(log_table);
    reader regrole := logintel._installer_reader(log_table);
    read_columns text := logintel._installer_columns(log_table, attached.columns);
    schema regnamespace := (SELECT c.relnamespace FROM pg_class c WHERE c.oid = log_table);
    schema_owner oid := (SELECT n.nspowner FROM pg_namespace n WHERE n.oid = schema);
    role regrole;
BEGIN
    EXECUTE 'UNLISTEN logintel_attach';
    PERFORM logintel._installer_check_owner(log_table);
    EXECUTE format('GRANT USAGE ON SCHEMA logintel TO %s', reader);
    FOR role IN SELECT logintel._installer_keeper() UNION SELECT reader UNION SELECT logintel._installer_readers() LOOP
        IF NOT has_schema_privilege(role, schema, 'USAGE') AND pg_has_role(session_user, schema_owner, 'USAGE')
           AND pg_has_role(current_user, schema_owner, 'USAGE') THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', schema, role);
        END IF;
        CONTINUE WHEN role <> reader AND role = logintel._installer_keeper()  -- it reads no lines
            OR pg_has_role(role, owner, 'USAGE') OR has_table_privilege(role, log_table, 'SELECT');
        EXECUTE format('GRANT SELECT (%s) ON %s TO %s', read_columns, log_table, role);
    END LOOP;
    PERFORM logintel._installer_make_functions('reader', reader, attached.id, true),
            logintel._installer_make_functions('owner', owner, attached.id, attached.manages_partitions);
END
$function$;

COMMENT ON FUNCTION logintel._installer_take_on(logintel_internal.attachments) IS 'Lets logintel and its readers read the columns of a log table, and makes the functions that touch it.';

-- Who gives a table to another role may see to it that it is read; that role decides who keeps its partitions.
CREATE OR REPLACE FUNCTION logintel._installer_change_reader(attached logintel_internal.attachments) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    reader regrole := logintel._installer_reader(attached.log_table);
BEGIN
    PERFORM logintel._installer_check_owner(attached.log_table);
    EXECUTE format('GRANT USAGE ON SCHEMA logintel TO %s', reader);
    IF reader <> logintel._installer_table_owner(attached.log_table) THEN
        EXECUTE format('GRANT SELECT (%s) ON %s TO %s',
                       logintel._installer_columns(attached.log_table, attached.columns), attached.log_table, reader);
    END IF;
    PERFORM logintel._installer_make_functions('reader', reader, attached.id, true);
END
$function$;

COMMENT ON FUNCTION logintel._installer_change_reader(logintel_internal.attachments) IS 'Has a log table that got another owner read with the rights that this takes.';

CREATE OR REPLACE FUNCTION logintel._installer_let_go(attached logintel_internal.attachments) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    log_table CONSTANT regclass := attached.log_table;
    read_columns CONSTANT text := logintel._installer_columns(log_table, attached.columns);
    owner CONSTANT regrole := logintel._installer_table_owner(log_table);
    reader CONSTANT regrole := (
        SELECT p.proowner FROM pg_proc p
        WHERE p.pronamespace = 'logintel'::regnamespace AND p.proname = concat('_fetch_', attached.id));
    role regrole;
BEGIN
    EXECUTE 'UNLISTEN logintel_detach';  -- see _installer_take_on()
    PERFORM logintel._installer_drop_function(concat(f.name, '_', attached.id)::name)
    FROM logintel._installer_functions_of_others() f;
    IF read_columns IS NOT NULL AND pg_has_role(current_user, owner, 'USAGE') THEN
        PERFORM logintel._installer_drop_key_trigger(log_table);
        FOR role IN SELECT r.role FROM logintel._installer_reader(log_table) AS r (role)
                    WHERE r.role <> owner UNION SELECT logintel._installer_readers() LOOP
            EXECUTE format('REVOKE SELECT (%s) ON %s FROM %s', read_columns, log_table, role);
        END LOOP;
    END IF;
    -- Who neither reads views nor owns another log table has nothing to do here any more, and can be dropped.
    IF NOT has_table_privilege(reader, 'logintel.log_lines', 'SELECT') AND NOT EXISTS (
        SELECT FROM pg_proc p WHERE p.pronamespace = 'logintel'::regnamespace AND p.proowner = reader) THEN
        EXECUTE format('REVOKE USAGE ON SCHEMA logintel FROM %s', reader);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._installer_let_go(logintel_internal.attachments) IS 'Takes back what _installer_take_on() gave.';

CREATE OR REPLACE FUNCTION logintel._installer_create_trigger(tbl regclass, name name) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    wanted record;
BEGIN
    SELECT v.* INTO wanted FROM logintel._installer_triggers() v WHERE v.name = _installer_create_trigger.name;
    EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER %s ON %s%s%s%s FOR EACH STATEMENT EXECUTE FUNCTION %s()',
                   wanted.name, wanted.event, tbl,
                   CASE WHEN wanted.old_table IS NOT NULL OR wanted.new_table IS NOT NULL THEN ' REFERENCING' END,
                   ' OLD TABLE AS ' || quote_ident(wanted.old_table), ' NEW TABLE AS ' || quote_ident(wanted.new_table),
                   wanted.calls);
    -- Dropping the extension, where logintel is one, takes its triggers along, and nothing else of the user's.
    IF EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'logintel')
       AND pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = tbl), 'USAGE') THEN
        EXECUTE format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION logintel', wanted.name, tbl);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._installer_create_trigger(regclass, name) IS 'Creates one of _installer_triggers() on a table.';

CREATE OR REPLACE FUNCTION logintel._installer_drop_trigger(tbl regclass, name name) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM FROM logintel._installer_triggers() v WHERE v.name = _installer_drop_trigger.name;
    IF FOUND THEN
        EXECUTE format('DROP TRIGGER %I ON %s', name, tbl);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._installer_drop_trigger(regclass, name) IS 'Drops one of _installer_triggers() from a table.';
