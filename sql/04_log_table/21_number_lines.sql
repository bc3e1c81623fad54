-- A log table without a key gets a column that numbers its lines: one that may be null, so that adding it neither
-- rewrites the table nor locks it for longer than a moment. New lines are numbered by its default; those that are
-- written with a null there, as INSERT ... SELECT * FROM jsonb_populate_recordset(...) does it, by a trigger.
--
-- It runs with the rights of who writes, who may take numbers of the sequence and do nothing else with it. A line that
-- gets no number here is stored without one.
CREATE OR REPLACE FUNCTION logintel._number_line() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    sequence regclass := (
        SELECT s.oid FROM pg_attribute a
        JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        JOIN pg_depend r ON r.classid = 'pg_attrdef'::regclass AND r.objid = d.oid
                            AND r.refclassid = 'pg_class'::regclass
        JOIN pg_class s ON s.oid = r.refobjid AND s.relkind = 'S'
        WHERE a.attrelid = TG_RELID AND a.attname = 'logintel_id' LIMIT 1);
BEGIN
    IF has_sequence_privilege(sequence, 'USAGE') THEN
        NEW.logintel_id := nextval(sequence);
    END IF;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION logintel._number_line() IS 'Trigger on a log table with a key of logintel''s: numbers a line that came without a number.';

CREATE OR REPLACE FUNCTION logintel._installer_number_lines_of(log_table regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    owner regrole := logintel._installer_table_owner(log_table);
    schema text := (SELECT c.relnamespace::regnamespace FROM pg_class c WHERE c.oid = log_table);
    name text := (SELECT min(n.name) FROM pg_class c CROSS JOIN generate_series(1, 99) AS i
                  CROSS JOIN LATERAL (
                      SELECT format('%s_logintel_id_seq%s', left(c.relname::text, 11), nullif(i, 1)) AS name) AS n
                  WHERE c.oid = log_table AND NOT EXISTS (
                      SELECT FROM pg_class o WHERE o.relnamespace = c.relnamespace AND o.relname = n.name));
    sequence text := format('%s.%I', schema, name);
BEGIN
    EXECUTE format('ALTER TABLE %s ADD COLUMN logintel_id bigint', log_table);
    EXECUTE format('CREATE SEQUENCE %s', sequence);
    EXECUTE format('ALTER SEQUENCE %s OWNER TO %s', sequence, owner);
    EXECUTE format('ALTER SEQUENCE %s OWNED BY %s.logintel_id', sequence, log_table);
    EXECUTE format('GRANT USAGE ON SEQUENCE %s TO PUBLIC', sequence);
    EXECUTE format('ALTER TABLE %s ALTER COLUMN logintel_id SET DEFAULT nextval(%L)', log_table, sequence);
    EXECUTE format('COMMENT ON COLUMN %s.logintel_id IS %L', log_table,
                   'Number of the line, by which logintel knows it.');
END
$function$;

COMMENT ON FUNCTION logintel._installer_number_lines_of(regclass) IS 'Adds the column logintel_id to a table, numbered by a sequence.';

CREATE OR REPLACE FUNCTION logintel._installer_add_key(log_table regclass, indexed boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    EXECUTE 'UNLISTEN logintel_attach';
    PERFORM logintel._installer_check_owner(log_table);
    IF NOT EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = log_table AND a.attname = 'logintel_id' AND NOT a.attisdropped) THEN
        PERFORM logintel._installer_number_lines_of(log_table);
        -- Building an index keeps writers waiting, so a large table is left without one. It is not unique: who writes
        -- a number of his own must not keep others from writing theirs.
        IF NOT indexed THEN
            RETURN;
        ELSIF coalesce((SELECT sum(pg_table_size(t.relid)) FROM pg_partition_tree(log_table) t),
                       pg_table_size(log_table)) < 268435456 THEN
            EXECUTE format('CREATE INDEX ON %s (logintel_id)', log_table);
        END IF;
    END IF;
    EXECUTE format('CREATE OR REPLACE TRIGGER logintel_key BEFORE INSERT ON %s FOR EACH ROW '
                   'WHEN (NEW.logintel_id IS NULL) EXECUTE FUNCTION logintel._number_line()', log_table);
    IF EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'logintel') THEN
        EXECUTE format('ALTER TRIGGER logintel_key ON %s DEPENDS ON EXTENSION logintel', log_table);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._installer_add_key(regclass, boolean) IS 'Adds the column logintel_id to a log table, where it is not there yet, and what numbers its lines.';

CREATE OR REPLACE FUNCTION logintel._installer_drop_key_trigger(log_table regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF EXISTS (SELECT FROM pg_trigger g
               WHERE g.tgrelid = log_table AND g.tgname = 'logintel_key'
                 AND g.tgfoid = 'logintel._number_line()'::regprocedure) THEN
        EXECUTE format('DROP TRIGGER logintel_key ON %s', log_table);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._installer_drop_key_trigger(regclass) IS 'Removes the trigger that numbers lines; the column stays.';

-- Lines from before the column are numbered here, and scored as changed lines are. It runs with the rights of its
-- caller, and so would triggers and defaults of the table: he has to be its owner, who wrote them. A range of blocks is
-- one batch: an update of a whole table would be one transaction.
CREATE OR REPLACE FUNCTION logintel.number_lines(
    log_table regclass, from_block bigint DEFAULT 0, blocks bigint DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    tbl regclass;
    first_line text := format('(%s,0)', from_block);
    end_line text := format('(%s,0)', least(from_block + coalesce(blocks, 4294967294), 4294967294));
    in_table bigint;
    numbered bigint := 0;
    owner name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = log_table);
BEGIN
    IF owner <> current_user THEN
        RAISE EXCEPTION 'the lines of % are numbered by its owner, %', log_table, owner
            USING ERRCODE = 'insufficient_privilege', HINT = format('Run "logintel backfill" as %I.', owner);
    END IF;
    FOR tbl IN SELECT t.relid FROM pg_partition_tree(log_table) t WHERE t.isleaf
               UNION ALL SELECT log_table WHERE NOT EXISTS (SELECT FROM pg_partition_tree(log_table)) LOOP
        EXECUTE format('UPDATE ONLY %s SET logintel_id = DEFAULT '
                       'WHERE logintel_id IS NULL AND ctid >= %L AND ctid < %L', tbl, first_line, end_line);
        GET DIAGNOSTICS in_table = ROW_COUNT;
        numbered := numbered + in_table;
    END LOOP;
    RETURN numbered;
EXCEPTION WHEN undefined_column THEN
    RAISE EXCEPTION 'table % has no column logintel_id', log_table
        USING ERRCODE = 'undefined_column', HINT = 'It is attach(..., add_key => true) that adds it.';
END
$function$;

COMMENT ON FUNCTION logintel.number_lines(regclass, bigint, bigint) IS 'Numbers the lines of a table, or of each of its partitions, that are older than its column logintel_id, in this many blocks from that one on, null for all; returns how many. "logintel backfill" does it in batches.';
