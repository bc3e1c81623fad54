-- What meets code of others while it touches the log table runs with the rights of others: index expressions and
-- predicates are computed when a query on the table is planned, constraints, defaults and triggers when it is written.
--
-- _fetch reads a log table for the upkeep, _table_owner_... keep its partitions. They belong to the table's owner, and
-- each attachment has its own, with its number behind the name: what he wrote into an index reads nothing that he may
-- not read himself. A superuser's table is read by the fetcher, a role that may read its mapped columns and no more.
--
-- What runs with the rights of the table's owner stays, and so does what code of his leaves to be run at the commit
-- with the rights of who runs the upkeep: a deferred trigger, a held cursor, a setting. So none of it runs: where an
-- ordinary role wrote what would, the partition is left alone, and the reason told. Locks keep that so meanwhile.
--
-- Whoever owns a function can change how it runs, but not its text without CREATE on the schema, which neither has. So
-- the text begins with a guard that means the same under any search_path, and does nothing with the rights of another
-- role. And none is a member of the extension: what becomes of them takes nothing else along.
CREATE OR REPLACE FUNCTION logintel._installer_functions_of_others() RETURNS TABLE (
    belongs_to text, name name, arguments text, returns text, body text
)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $functions$
    VALUES
        ('reader', '_fetch'::name, 'query text, ids bigint[], from_time timestamptz, to_time timestamptz',
         'SETOF record', $body$
            BEGIN
                RETURN QUERY EXECUTE query USING ids, from_time, to_time;
            END $body$),
        -- Locked like this, a table gets no index, constraint, trigger or statistics, also not concurrently. What runs
        -- with the rights of a superuser, or of who runs the upkeep, gains nothing by it.
        ('owner', '_table_owner_lock', 'tables regclass[], is_written boolean', 'void', $body$
            DECLARE
                tbl regclass;
                code text;
            BEGIN
                FOREACH tbl IN ARRAY tables LOOP
                    EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', tbl);
                END LOOP;
                IF session_user = current_user THEN
                    RETURN;
                ELSIF current_setting('transaction_isolation') <> 'read committed' THEN
                    RAISE EXCEPTION 'partitions are kept at the isolation level read committed'
                        USING ERRCODE = 'active_sql_transaction', HINT = 'Run it in a transaction of its own.';
                END IF;
                SELECT CASE WHEN d.refclassid = 'pg_type'::regclass THEN format('type %s', y.oid::regtype)
                            ELSE format('function %s', p.oid::regprocedure) END
                INTO code
                FROM (SELECT 'pg_class'::regclass AS classid, c.oid FROM pg_class c WHERE c.oid = ANY (tables)
                      UNION ALL SELECT 'pg_class', i.indexrelid FROM pg_index i WHERE i.indrelid = ANY (tables)
                      UNION ALL SELECT 'pg_constraint', c.oid FROM pg_constraint c WHERE c.conrelid = ANY (tables)
                      UNION ALL SELECT 'pg_attrdef', a.oid FROM pg_attrdef a WHERE a.adrelid = ANY (tables)
                      UNION ALL SELECT 'pg_statistic_ext', e.oid FROM pg_statistic_ext e WHERE e.stxrelid = ANY (tables)
                      UNION ALL SELECT 'pg_policy', o.oid FROM pg_policy o WHERE o.polrelid = ANY (tables)
                      UNION ALL SELECT 'pg_rewrite', r.oid FROM pg_rewrite r WHERE r.ev_class = ANY (tables)
                      UNION ALL SELECT 'pg_trigger', t.oid FROM pg_trigger t
                                WHERE is_written AND t.tgrelid = ANY (tables)) AS part
                JOIN pg_depend d ON d.classid = part.classid AND d.objid = part.oid
                LEFT JOIN pg_type y ON d.refclassid = 'pg_type'::regclass AND part.classid <> 'pg_class'::regclass
                    AND y.oid = d.refobjid AND y.typtype = 'd'
                LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
                LEFT JOIN pg_proc p ON p.oid = CASE d.refclassid WHEN 'pg_proc'::regclass THEN d.refobjid
                                                                 WHEN 'pg_operator'::regclass THEN o.oprcode END
                JOIN pg_roles r ON r.oid IN (p.proowner, y.typowner)
                WHERE NOT r.rolsuper AND r.rolname <> session_user
                  AND (p.pronamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'logintel')) IS NOT TRUE
                LIMIT 1;
                IF code IS NULL AND is_written THEN
                    SELECT format('foreign key of %s', k.conrelid::regclass) INTO code
                    FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = ANY (tables) LIMIT 1;
                END IF;
                IF code IS NOT NULL THEN
                    RAISE EXCEPTION '% of an ordinary role would run with the upkeep', code
                        USING ERRCODE = 'insufficient_privilege',
                              HINT = 'Let a superuser own it, or its owner run logintel.maintain().';
                END IF;
            END $body$),
        -- Lines are never moved: that would fire triggers of the user's, and what refers to a line would go with it. A
        -- day whose lines stand in the default partition already (a clock that ran ahead) stays there.
        ('owner', '_table_owner_create_day', 'log_table regclass, column_name text, day date, name text',
         'boolean', $body$
            DECLARE
                default_partition regclass := (
                    SELECT nullif(p.partdefid, 0) FROM pg_partitioned_table p WHERE p.partrelid = log_table);
                from_time timestamptz := day::timestamp AT TIME ZONE 'UTC';
                to_time timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
                is_taken boolean := false;
            BEGIN
                IF default_partition IS NOT NULL THEN
                    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I >= $1 AND %2$I < $2)',
                                   default_partition, column_name)
                    INTO is_taken USING from_time, to_time;
                END IF;
                IF is_taken THEN
                    RETURN false;
                END IF;
                EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY)', name,
                               coalesce(default_partition, log_table));
                EXECUTE format('COMMENT ON TABLE %s IS %L', name,
                               format('Partition of %s for %s (UTC).', log_table, day));
                EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', log_table, name,
                               from_time, to_time);
                RETURN true;
            END $body$),
        -- A day is dropped only while it is a partition: one that was detached a moment ago is an archive. Where
        -- foreign keys refer to the log table, its partitions cannot be dropped, but a day that no row refers to can
        -- be detached before. That reads the tables that refer, while who writes lines waits: so only where these are
        -- small, and belong to the log table's owner.
        ('owner', '_table_owner_drop_day', 'log_table regclass, tbl regclass', 'boolean', $body$
            BEGIN
                EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', log_table);
                PERFORM FROM pg_inherits i
                WHERE i.inhrelid = tbl AND i.inhparent = log_table AND NOT i.inhdetachpending;
                IF NOT FOUND THEN
                    RETURN false;
                END IF;
                IF NOT EXISTS (SELECT FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
                               WHERE k.contype = 'f' AND k.confrelid = tbl
                                 AND (NOT pg_has_role(c.relowner, 'USAGE') OR pg_relation_size(c.oid) > 67108864))
                   AND EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = tbl) THEN
                    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', log_table, tbl);
                END IF;
                EXECUTE format('DROP TABLE %s', tbl);
                RETURN true;
            END $body$),
        ('owner', '_table_owner_delete_lines', 'tbl regclass, column_name text, to_time timestamptz', 'bigint', $body$
            DECLARE
                deleted bigint;
            BEGIN
                EXECUTE format('DELETE FROM %1$s WHERE %2$I < $1 AND ctid = ANY (ARRAY('
                               'SELECT ctid FROM %1$s WHERE %2$I < $1 LIMIT 2000 FOR UPDATE SKIP LOCKED))',
                               tbl, column_name) USING to_time;
                GET DIAGNOSTICS deleted = ROW_COUNT;
                RETURN deleted;
            END $body$);
$functions$;

COMMENT ON FUNCTION logintel._installer_functions_of_others() IS 'The functions that are made when a table is attached, and belong to its owner or, where they read, to its reader.';

-- Where an ordinary role installed logintel, there is no fetcher, and whoever owns a table, it can do what he can.
CREATE OR REPLACE FUNCTION logintel._installer_reader(log_table regclass) RETURNS regrole
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT CASE WHEN r.rolsuper AND p.proowner <> logintel._installer_keeper() THEN to_regrole('logintel_fetcher')
                    ELSE r.oid::regrole END
        FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
        CROSS JOIN pg_proc p WHERE c.oid = log_table AND p.oid = 'logintel._installer_keeper()'::regprocedure);

COMMENT ON FUNCTION logintel._installer_reader(regclass) IS 'The role with whose rights a log table is read for the upkeep: its owner, or the fetcher for a superuser''s.';

CREATE OR REPLACE FUNCTION logintel._installer_is_of_others(name name) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM logintel._installer_functions_of_others() f
               WHERE f.name = regexp_replace(_installer_is_of_others.name, '_[0-9]+$', ''));

COMMENT ON FUNCTION logintel._installer_is_of_others(name) IS 'Whether a function of this name is made when a log table is attached.';

-- Dropping the extension, where logintel is one, takes along what is made at an attachment. As a member it would do so
-- in the other direction, too.
CREATE OR REPLACE FUNCTION logintel._installer_leave_extension(function regprocedure) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'logintel') OR NOT EXISTS (
        SELECT FROM pg_proc p
        WHERE p.oid = function AND p.pronamespace = 'logintel'::regnamespace
          AND logintel._installer_is_of_others(p.proname)) THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM pg_depend d
               WHERE d.classid = 'pg_proc'::regclass AND d.objid = function AND d.deptype = 'e') THEN
        EXECUTE format('ALTER EXTENSION logintel DROP FUNCTION %s', function);
    END IF;
    EXECUTE format('ALTER FUNCTION %s DEPENDS ON EXTENSION logintel', function);
END
$function$;

COMMENT ON FUNCTION logintel._installer_leave_extension(regprocedure) IS 'Lets a function that is made at an attachment be no member of the extension, and go with it.';

CREATE OR REPLACE FUNCTION logintel._installer_drop_function(name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    function regprocedure;
BEGIN
    FOR function IN SELECT p.oid FROM pg_proc p
                    WHERE p.pronamespace = 'logintel'::regnamespace AND p.proname = _installer_drop_function.name LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', function);  -- what its owner built upon it
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._installer_drop_function(name) IS 'Drops a function that was made when a table was attached.';

-- Only who may create something in a schema can be given what is in it.
CREATE OR REPLACE FUNCTION logintel._installer_give(function regprocedure, to_role regrole) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    lacks_create boolean := NOT has_schema_privilege(to_role, 'logintel', 'CREATE');
BEGIN
    IF lacks_create THEN
        EXECUTE format('GRANT CREATE ON SCHEMA logintel TO %s', to_role);
    END IF;
    EXECUTE format('ALTER FUNCTION %s OWNER TO %s', function, to_role);
    IF lacks_create THEN
        EXECUTE format('REVOKE CREATE ON SCHEMA logintel FROM %s', to_role);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._installer_give(regprocedure, regrole) IS 'Gives a function to a role.';

CREATE OR REPLACE FUNCTION logintel._installer_guarded(role regrole, body text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN format($guarded$
#variable_conflict use_column
BEGIN
    IF current_user OPERATOR(pg_catalog.<>) pg_catalog.pg_get_userbyid(%s) THEN
        RAISE EXCEPTION 'functions of logintel run with other rights than they were made for'
            USING ERRCODE = 'insufficient_privilege', HINT = 'As a superuser: SELECT logintel.adopt_partitions().';
    END IF;
    %s;
END
$guarded$, role::oid, body);

COMMENT ON FUNCTION logintel._installer_guarded(regrole, text) IS 'The text of a function that does nothing with the rights of another role than this.';

-- Whoever reads meanwhile goes on reading: what is there and as it should be is not made anew.
CREATE OR REPLACE FUNCTION logintel._installer_is_made(name name, role regrole, body text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (
    SELECT FROM pg_proc p
    WHERE p.pronamespace = 'logintel'::regnamespace AND p.proname = _installer_is_made.name AND p.proowner = role
      AND p.prosrc = body AND p.prosecdef AND cardinality(p.proconfig) = 4);

COMMENT ON FUNCTION logintel._installer_is_made(name, regrole, text) IS 'Whether a function with this name, owner and text is there.';

CREATE OR REPLACE FUNCTION logintel._installer_make_functions(
    belongs_to text, role regrole, attachment_id integer, are_wanted boolean
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    made record;
    body text;
    function regprocedure;
BEGIN
    FOR made IN
        SELECT f.arguments, f.returns, f.body, concat(f.name, '_', attachment_id)::name AS name
        FROM logintel._installer_functions_of_others() f WHERE f.belongs_to = _installer_make_functions.belongs_to
    LOOP
        body := logintel._installer_guarded(role, made.body);
        CONTINUE WHEN are_wanted AND logintel._installer_is_made(made.name, role, body);
        PERFORM logintel._installer_drop_function(made.name);
        CONTINUE WHEN NOT are_wanted;
        EXECUTE format('CREATE FUNCTION logintel.%I(%s) RETURNS %s LANGUAGE plpgsql %s SECURITY DEFINER '
                       'SET search_path = pg_catalog, pg_temp SET DateStyle = ''ISO, YMD'' SET TimeZone = ''UTC'' '
                       'SET row_security = off '
                       'AS %L', made.name, made.arguments, made.returns,
                       CASE belongs_to WHEN 'reader' THEN 'STABLE' ELSE 'VOLATILE' END, body);
        SELECT p.oid INTO STRICT function FROM pg_proc p
        WHERE p.pronamespace = 'logintel'::regnamespace AND p.proname = made.name;
        EXECUTE format('COMMENT ON FUNCTION %s IS %L', function,
                       'Made when a log table was attached; for the upkeep alone.');
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', function);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', function, logintel._installer_keeper());
        PERFORM logintel._installer_leave_extension(function);
        PERFORM logintel._installer_give(function, role);
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._installer_make_functions(text, regrole, integer, boolean) IS 'Makes the functions of a kind that touch a log table as those of a role, or drops them.';
