CREATE OR REPLACE FUNCTION logintel._check_partitions(log_table regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    foreign_table regclass := (SELECT min(t.tbl::oid) FROM logintel._tables_below(log_table) t WHERE t.kind = 'f');
BEGIN
    IF foreign_table IS NOT NULL THEN
        RAISE EXCEPTION '% cannot be attached: its partition % is a foreign table', log_table, foreign_table
            USING ERRCODE = 'wrong_object_type', DETAIL = 'PostgreSQL shows lines of a foreign table to no statement trigger.',
                  HINT = 'Attach the table on the server that holds its lines.';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_partitions(regclass) IS 'Raises an error where a log table has partitions whose lines no trigger sees.';

CREATE OR REPLACE FUNCTION logintel._hides_lines_from(role regrole, log_table regclass) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM pg_class c JOIN pg_roles r ON r.oid = role
               WHERE c.oid = log_table AND c.relrowsecurity AND NOT r.rolbypassrls AND NOT r.rolsuper
                 AND (c.relforcerowsecurity OR NOT pg_has_role(role, c.relowner, 'USAGE')));

COMMENT ON FUNCTION logintel._hides_lines_from(regrole, regclass) IS 'Whether row-level security of a log table applies to a role.';

CREATE OR REPLACE FUNCTION logintel._check_readable(log_table regclass, columns jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    role regrole := logintel._installer_fetcher();
BEGIN
    IF NOT (SELECT bool_and(has_column_privilege(role, log_table, c.value, 'SELECT')) FROM jsonb_each_text(columns) AS c) THEN
        RAISE EXCEPTION 'role % may not read %', role, log_table USING ERRCODE = 'insufficient_privilege',
            HINT = format('Its owner: GRANT SELECT ON %s TO %s.', log_table, role);
    ELSIF logintel._hides_lines_from(role, log_table) THEN
        RAISE EXCEPTION 'row-level security hides lines of % from role %', log_table, role
            USING ERRCODE = 'insufficient_privilege', HINT = format('A superuser: ALTER ROLE %s BYPASSRLS.', role);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_readable(regclass, jsonb) IS 'Raises an error unless logintel''s role can read every line of a log table.';

-- No scale is taken for granted without saying so.
CREATE OR REPLACE FUNCTION logintel._warn_of_numbers(log_table regclass, columns jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute a
               WHERE a.attrelid = log_table AND a.attname = columns ->> 'level'
                 AND logintel._base_type(a.atttypid) = ANY ('{int2,int4,int8,numeric,float4,float8}'::regtype[])) THEN
        RAISE WARNING 'numbers in the column "%" of % are read as levels of syslog (0 to 7) and pino (10 to 60)',
            columns ->> 'level', log_table
            USING HINT = format('If they are others: SELECT logintel.detach(), and attach(%L, ..., level_scale => ''python''), '
                                'or dotnet, otel, log4j, windows.', log_table);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._warn_of_numbers(regclass, jsonb) IS 'Warns where levels are numbers and nobody said of which scale.';

-- Whoever attaches a table lets logintel, and those who read its views, read the columns that it names. So only who owns
-- the table may attach it.
CREATE OR REPLACE FUNCTION logintel.attach(
    log_table regclass, columns jsonb DEFAULT '{}', manage_partitions boolean DEFAULT false,
    level_scale text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    class pg_class;
    attached regclass := (SELECT a.log_table FROM logintel.attachments a);
    scale jsonb := logintel._level_scale(attach.level_scale);
BEGIN
    SELECT c.* INTO class FROM pg_class c WHERE c.oid = attach.log_table;
    IF class.relkind NOT IN ('r', 'p') OR class.relpersistence = 't' OR class.relispartition THEN
        RAISE EXCEPTION '% cannot be attached', log_table
            USING ERRCODE = 'wrong_object_type', DETAIL = 'It is not a permanent table, or it is a partition of one.',
                  HINT = 'Attach the table itself.';
    ELSIF NOT pg_has_role(session_user, class.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', log_table USING ERRCODE = 'insufficient_privilege';
    ELSIF attached IS NOT NULL THEN
        RAISE EXCEPTION 'table % is attached already', attached
            USING ERRCODE = 'object_in_use', HINT = 'Run SELECT logintel.detach() first; predictions are kept per table.';
    END IF;
    columns := logintel._check_columns(attach.log_table, attach.columns);
    PERFORM logintel._check_partitions(attach.log_table);
    IF manage_partitions AND NOT EXISTS (
        SELECT FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        WHERE p.partrelid = attach.log_table AND p.partstrat = 'r' AND p.partnatts = 1 AND p.partdefid <> 0
          AND a.attname = columns ->> 'timestamp' AND a.atttypid = 'timestamptz'::regtype) THEN
        RAISE EXCEPTION 'the partitions of % cannot be managed', log_table
            USING ERRCODE = 'wrong_object_type', DETAIL = 'It is not partitioned by range of its timestamptz column alone, or has no default partition.',
                  HINT = 'Attach it without manage_partitions.';
    END IF;
    PERFORM logintel._warn_of_numbers(attach.log_table, attach.columns) WHERE attach.level_scale IS NULL;
    INSERT INTO logintel.attachments (log_table, columns, manages_partitions, level_scale)
    VALUES (attach.log_table, attach.columns, manage_partitions, scale);
    PERFORM logintel._check_readable(attach.log_table, attach.columns);
    PERFORM logintel._create_triggers(attach.log_table);
    -- Only now is the table locked: what was written for its columns is written once more for those that it has.
    UPDATE logintel.attachments a SET columns = logintel._check_columns(a.log_table, a.columns);
END
$function$;

COMMENT ON FUNCTION logintel.attach(regclass, jsonb, boolean, text) IS 'Attaches a log table: its lines are scored from here on. The mapping {"field": "column"} names the columns that are called otherwise. With manage_partitions, maintain() creates its daily partitions and drops old ones. level_scale says what numbers in its column of levels mean: syslog, pino, python, dotnet, otel, log4j, windows, or your own as {"0": "DEBUG", ...}.';
