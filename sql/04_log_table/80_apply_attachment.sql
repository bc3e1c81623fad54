-- Writes what depends on the log table's columns from the attachment's row. As a trigger it also runs when a restore loads
-- that row, and so heals the parts that a dump leaves out because they belong to the extension.
CREATE OR REPLACE FUNCTION logintel._column_numbers(log_table regclass, columns jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT coalesce(jsonb_object_agg(c.key, a.attnum), '{}') FROM jsonb_each_text(columns) AS c
        JOIN pg_attribute a ON a.attrelid = log_table AND a.attname = c.value AND a.attnum > 0);

COMMENT ON FUNCTION logintel._column_numbers(regclass, jsonb) IS 'The numbers of the columns of a mapping.';

CREATE OR REPLACE FUNCTION logintel._number_columns() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    NEW.column_numbers := logintel._column_numbers(NEW.log_table, NEW.columns);
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION logintel._number_columns() IS 'Trigger on attachments: notes the numbers of the columns.';

CREATE OR REPLACE FUNCTION logintel._attached_lines_text(attached logintel.attachments) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT format('SELECT %s FROM %s t',
                      string_agg(format('%s AS %I', CASE f.name WHEN 'level' THEN logintel._level_expression(
                          e.expression, ($1).level_scale) ELSE e.expression END, f.name), ', ' ORDER BY f.n), ($1).log_table)
        FROM logintel._line_fields() WITH ORDINALITY AS f (name, type, required, takes, n),
             LATERAL logintel._line_expression($1, f.name) AS e (expression));

COMMENT ON FUNCTION logintel._attached_lines_text(logintel.attachments) IS 'The query of _attached_lines() for an attachment.';

-- The comment tells what the functions were written for, so that the upkeep sees when that has changed.
CREATE OR REPLACE FUNCTION logintel._log_lines_text(attached logintel.attachments) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN ($1).log_table IS NULL
            THEN (SELECT format('SELECT %s WHERE false', string_agg(format('NULL::%s', f.type), ', ' ORDER BY f.n))
                  FROM logintel._line_fields() WITH ORDINALITY AS f (name, type, required, takes, n))
            ELSE format('SELECT * FROM logintel._attached_lines() /* %s */', md5(logintel._attached_lines_text($1))) END;

COMMENT ON FUNCTION logintel._log_lines_text(logintel.attachments) IS 'The text of _log_lines() for an attachment, null for none.';

CREATE OR REPLACE FUNCTION logintel._lines_type() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT format('TABLE (%s)', string_agg(format('%I %s', f.name, f.type), ', ' ORDER BY f.n))
        FROM logintel._line_fields() WITH ORDINALITY AS f (name, type, required, takes, n));

COMMENT ON FUNCTION logintel._lines_type() IS 'What _log_lines() returns.';

-- Parsed when it is written, a function follows its table, whatever that is called, and keeps the types of its columns as they
-- are. It belongs to no extension, and nothing depends on it, so a cascade from the log table takes it and no more. The
-- planner puts its text into the query.
CREATE OR REPLACE FUNCTION logintel._write_log_lines() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    attached logintel.attachments := (SELECT a FROM logintel.attachments a);
BEGIN
    IF to_regprocedure('logintel._attached_lines()') IS NOT NULL THEN
        DROP FUNCTION logintel._attached_lines();  -- an update of the extension may replace nothing that is not its own
    END IF;
    IF attached.log_table IS NOT NULL THEN
        EXECUTE format('CREATE FUNCTION logintel._attached_lines() RETURNS %s LANGUAGE sql STABLE BEGIN ATOMIC %s; END',
                       logintel._lines_type(), logintel._attached_lines_text(attached));
        COMMENT ON FUNCTION logintel._attached_lines() IS 'The lines of the attached log table, read with the rights of the caller.';
        -- Who may not read the table reads nothing through it.
        GRANT EXECUTE ON FUNCTION logintel._attached_lines() TO PUBLIC;
        EXECUTE format('ALTER FUNCTION logintel._attached_lines() OWNER TO %s', logintel._installer_keeper());
        -- Asked by name each time: a plan that is kept would have the number of the function that was dropped.
        PERFORM logintel._installer_leave_extension(to_regprocedure('logintel._attached_lines()'));
    END IF;
    EXECUTE format('CREATE OR REPLACE FUNCTION logintel._log_lines() RETURNS %s LANGUAGE sql STABLE AS %L',
                   logintel._lines_type(), logintel._log_lines_text(attached));
END
$function$;

COMMENT ON FUNCTION logintel._write_log_lines() IS 'Writes _log_lines() for the attached table.';

CREATE OR REPLACE FUNCTION logintel._apply_attachment() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    -- First: a restore by several sessions makes the triggers meanwhile, which lock their function and then the extension.
    PERFORM logintel._write_trigger_functions();
    IF TG_OP = 'INSERT' THEN
        PERFORM logintel._installer_take_on(NEW.log_table, NEW.columns, NEW.manages_partitions);
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM logintel.made_partitions;
        PERFORM logintel._installer_let_go(OLD.log_table, OLD.columns);
    END IF;
    PERFORM logintel._write_log_lines();
    PERFORM logintel._set_barriers();
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._apply_attachment() IS 'Trigger on attachments: points _log_lines() and the trigger functions at the attached table.';

CREATE OR REPLACE TRIGGER number_columns BEFORE INSERT OR UPDATE OF columns ON logintel.attachments
    FOR EACH ROW EXECUTE FUNCTION logintel._number_columns();
CREATE OR REPLACE TRIGGER apply_attachment AFTER INSERT OR DELETE OR UPDATE OF columns ON logintel.attachments
    FOR EACH ROW EXECUTE FUNCTION logintel._apply_attachment();
