CREATE OR REPLACE FUNCTION logintel._check_partitions(log_table regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    foreign_table regclass := (SELECT min(t.tbl::oid) FROM logintel._tables_below(log_table) t WHERE t.kind = 'f');
BEGIN
    IF foreign_table IS NOT NULL THEN
        RAISE EXCEPTION '% cannot be attached: its partition % is a foreign table', log_table, foreign_table
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = 'PostgreSQL shows lines of a foreign table to no statement trigger.',
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

CREATE OR REPLACE FUNCTION logintel._check_readable(attached logintel_internal.attachments) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    log_table CONSTANT regclass := attached.log_table;
    role regrole := logintel._installer_reader(log_table);
    schema regnamespace := (SELECT c.relnamespace FROM pg_class c WHERE c.oid = log_table);
BEGIN
    IF NOT has_schema_privilege(role, schema, 'USAGE') THEN
        RAISE EXCEPTION 'role % may not use the schema %', role, schema USING ERRCODE = 'insufficient_privilege',
            HINT = format('The owner of the schema: GRANT USAGE ON SCHEMA %s TO %s.', schema, role);
    END IF;
    IF EXISTS (SELECT FROM jsonb_each_text(attached.columns) AS c
               WHERE NOT has_column_privilege(role, log_table, c.value, 'SELECT')) THEN
        RAISE EXCEPTION 'role % may not read %', role, log_table USING ERRCODE = 'insufficient_privilege',
            HINT = format('Its owner: GRANT SELECT ON %s TO %s.', log_table, role);
    ELSIF logintel._hides_lines_from(role, log_table) THEN
        RAISE EXCEPTION 'row-level security hides lines of % from role %', log_table, role
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('Its owner: ALTER TABLE %s NO FORCE ROW LEVEL SECURITY; or a superuser: '
                                'ALTER ROLE %s BYPASSRLS.', log_table, role);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_readable(logintel_internal.attachments) IS 'Raises an error unless its reader can read every line of a log table.';

CREATE OR REPLACE FUNCTION logintel._check_table(log_table regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    class pg_class := (SELECT c FROM pg_class c WHERE c.oid = log_table);
    related regclass := (SELECT a.log_table FROM logintel_internal.attachments a
                         WHERE logintel._is_below(_check_table.log_table, a.log_table)
                            OR logintel._is_below(a.log_table, _check_table.log_table)
                         ORDER BY a.log_table <> _check_table.log_table LIMIT 1);
BEGIN
    IF class.relkind NOT IN ('r', 'p') OR class.relpersistence = 't' OR class.relispartition THEN
        RAISE EXCEPTION '% cannot be attached', log_table
            USING ERRCODE = 'wrong_object_type', DETAIL = 'It is not a permanent table, or it is a partition of one.',
                  HINT = 'Attach the table itself.';
    ELSIF NOT pg_has_role(session_user, class.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', log_table USING ERRCODE = 'insufficient_privilege';
    ELSIF related = log_table THEN
        RAISE EXCEPTION 'table % is attached already', log_table
            USING ERRCODE = 'object_in_use',
                  HINT = format('To attach it in another way, run SELECT logintel.detach(%L) first.', log_table);
    ELSIF related IS NOT NULL THEN
        RAISE EXCEPTION 'table % shares lines with %, which is attached already', log_table, related
            USING ERRCODE = 'object_in_use', DETAIL = 'One of the two inherits from the other.',
                  HINT = format('Run SELECT logintel.detach(%L) first.', related);
    END IF;
    PERFORM logintel._check_partitions(log_table);
END
$function$;

COMMENT ON FUNCTION logintel._check_table(regclass) IS 'Raises an error unless a table can be attached, by the role of the session.';

CREATE OR REPLACE FUNCTION logintel._check_managed(log_table regclass, time_column text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        WHERE p.partrelid = log_table AND p.partstrat = 'r' AND p.partnatts = 1 AND p.partdefid <> 0
          AND a.attname = time_column AND a.atttypid = 'timestamptz'::regtype) THEN
        RAISE EXCEPTION 'the partitions of % cannot be managed', log_table
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = 'It is not partitioned by range of its timestamptz column alone, '
                      'or has no default partition.',
                  HINT = 'Attach it without manage_partitions.';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_managed(regclass, text) IS 'Raises an error unless logintel can manage the partitions of a log table.';

CREATE OR REPLACE FUNCTION logintel._is_kept_unique(log_table regclass, key text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (
    SELECT FROM logintel._table_columns(log_table) c
    WHERE c.name = key AND (c.counts OR EXISTS (
        SELECT FROM pg_index i WHERE i.indrelid = log_table AND i.indisunique AND i.indpred IS NULL
                                 AND i.indnkeyatts = 1 AND i.indkey[0] = c.number)));

COMMENT ON FUNCTION logintel._is_kept_unique(regclass, text) IS 'Whether a sequence numbers the lines of a table by this column, or a unique index keeps its values apart.';

-- A line is known by its key. Where neither a sequence numbers lines nor an index keeps keys apart, they are looked at.
CREATE OR REPLACE FUNCTION logintel._check_key(attached logintel_internal.attachments) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    log_table CONSTANT regclass := attached.log_table;
    key CONSTANT text := attached.columns ->> 'id';
    hint text := format('Let logintel add a key: SELECT logintel.attach(%L, add_key => true).', log_table);
    col pg_attribute := (SELECT a FROM pg_attribute a WHERE a.attrelid = log_table AND a.attname = key);
    doubled bigint;
BEGIN
    IF NOT col.attnotnull AND NOT col.atthasdef THEN
        RAISE EXCEPTION 'the key column "%" of % may be null', key, log_table
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL; or, where lines come without a key, '
                                'SELECT logintel.attach(%1$L, add_key => true).', log_table, key);
    ELSIF logintel._is_kept_unique(log_table, key) THEN
        RETURN;
    END IF;
    doubled := logintel._fetched_double_key(attached.id);
    IF doubled IS NOT NULL THEN
        RAISE EXCEPTION 'the key column "%" of % is not unique: several lines have %', key, log_table, doubled
            USING ERRCODE = 'unique_violation', HINT = hint;
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_key(logintel_internal.attachments) IS 'Raises an error where the key of a log table may be null, or several of its lines have one key.';

CREATE OR REPLACE FUNCTION logintel._check_columns(log_table regclass, columns jsonb, paths jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    field record;
    col record;
    hint text;
BEGIN
    FOR field IN SELECT * FROM logintel._line_fields() f WHERE columns ? f.name OR f.required LOOP
        hint := CASE field.name
            WHEN 'id' THEN format('Let logintel add one: SELECT logintel.attach(%L, add_key => true).', log_table)
            ELSE format('Map it: SELECT logintel.attach(%L, %L).', log_table,
                        jsonb_build_object(field.name, 'your_column')) END;
        SELECT c.name, c.type, c.kind, format_type(a.atttypid, NULL) AS type_name INTO col
        FROM logintel._table_columns(log_table) c
        JOIN pg_attribute a ON a.attrelid = log_table AND a.attnum = c.number
        WHERE c.name = columns ->> field.name;
        IF NOT FOUND AND field.name = 'id' AND NOT columns ? 'id' THEN
            RAISE EXCEPTION 'table % has no integer key', log_table USING ERRCODE = 'undefined_column', HINT = hint;
        ELSIF NOT FOUND THEN
            RAISE EXCEPTION 'table % has no column "%" for the field "%"', log_table,
                            coalesce(columns ->> field.name, field.name), field.name
                USING ERRCODE = 'undefined_column', HINT = hint;
        ELSIF col.type <> ALL (field.takes)
              AND NOT (paths ? field.name AND field.name <> 'id' AND col.kind = 'document') THEN
            RAISE EXCEPTION 'column "%" of % is of type %, the field "%" needs %', col.name, log_table, col.type_name,
                            field.name, CASE field.name WHEN 'id' THEN 'an integer key' ELSE field.type END
                USING ERRCODE = 'datatype_mismatch',
                      HINT = CASE field.name WHEN 'id' THEN hint ELSE 'Map another column, or null for none.' END;
        END IF;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._check_columns(regclass, jsonb, jsonb) IS 'Raises an error unless a log table has these columns, of types that the fields are read from.';
