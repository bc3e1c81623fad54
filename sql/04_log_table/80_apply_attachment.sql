-- Writes what depends on a log table's columns from the attachment's row. As a trigger it also runs when a restore loads
-- that row, and so heals the parts that a dump leaves out because they belong to the extension.
CREATE OR REPLACE FUNCTION logintel._column_numbers(log_table regclass, columns jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT coalesce(jsonb_object_agg(c.key, a.attnum), '{}') FROM jsonb_each_text(columns) AS c
        JOIN pg_attribute a ON a.attrelid = log_table AND a.attname = c.value AND a.attnum > 0);

COMMENT ON FUNCTION logintel._column_numbers(regclass, jsonb) IS 'The numbers of the columns of a mapping.';

-- A number that is known stays: names that were read a moment ago may be others by now, when several sessions change the
-- table, and a field without a number would never be found again.
CREATE OR REPLACE FUNCTION logintel._number_columns() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    NEW.column_numbers := logintel._column_numbers(NEW.log_table, NEW.columns)
        || CASE TG_OP WHEN 'UPDATE' THEN OLD.column_numbers ELSE '{}' END;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION logintel._number_columns() IS 'Trigger on attachments: notes the numbers of the columns.';

CREATE OR REPLACE FUNCTION logintel._lines_type() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT format('TABLE (%s, attachment_id integer, log_table regclass)',
                      string_agg(format('%I %s', f.name, f.type), ', ' ORDER BY f.n))
        FROM logintel._line_fields() WITH ORDINALITY AS f (name, type, required, takes, n));

COMMENT ON FUNCTION logintel._lines_type() IS 'What _log_lines() returns.';

-- The text is not looked at when it is written: a column may have got another type a moment ago.
CREATE OR REPLACE FUNCTION logintel._write_log_lines() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET check_function_bodies = off AS
$function$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION logintel._log_lines() RETURNS %s LANGUAGE sql STABLE AS %L',
                   logintel._lines_type(), logintel._all_lines_text());
END
$function$;

COMMENT ON FUNCTION logintel._write_log_lines() IS 'Writes _log_lines() for the attached tables.';

CREATE OR REPLACE FUNCTION logintel._apply_attachment() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    -- First: a restore by several sessions makes the triggers meanwhile, which lock their function and then the extension.
    PERFORM logintel._write_trigger_functions();
    IF TG_OP = 'INSERT' THEN
        PERFORM logintel._installer_take_on(NEW);
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM logintel_internal.made_partitions m
        WHERE m.partition IN (SELECT t.tbl FROM logintel._tables_below(OLD.log_table) t)
           OR NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = m.partition);
        PERFORM logintel._installer_let_go(OLD);
    END IF;
    PERFORM logintel._write_log_lines();
    PERFORM logintel._set_barriers();
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._apply_attachment() IS 'Trigger on attachments: points _log_lines() and the trigger functions at the attached tables.';

CREATE OR REPLACE TRIGGER number_columns BEFORE INSERT OR UPDATE OF columns ON logintel_internal.attachments
    FOR EACH ROW EXECUTE FUNCTION logintel._number_columns();
CREATE OR REPLACE TRIGGER apply_attachment AFTER INSERT OR DELETE OR UPDATE OF columns ON logintel_internal.attachments
    FOR EACH ROW EXECUTE FUNCTION logintel._apply_attachment();
