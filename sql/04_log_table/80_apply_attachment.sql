-- Builds what depends on the log table's columns from the attachment's row. As a trigger it also runs when a restore
-- loads that row, and so heals the parts that a dump leaves out because they belong to the extension.
CREATE OR REPLACE FUNCTION logintel._apply_attachment() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    columns jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE NEW.columns END;
    fields text := (
        SELECT string_agg(format('%s AS %I', logintel._line_expression(NEW.log_table, columns, f.name), f.name), ', ' ORDER BY f.n)
        FROM logintel._line_fields() WITH ORDINALITY AS f (name, type, type_category, required, plain_types, expression, n));
    source text := CASE WHEN TG_OP = 'DELETE' THEN '(VALUES (NULL)) t WHERE false' ELSE format('%s t', NEW.log_table) END;
BEGIN
    EXECUTE format('CREATE OR REPLACE VIEW logintel.log_lines AS SELECT %s FROM %s', fields, source);
    PERFORM logintel._write_trigger_functions();
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._apply_attachment() IS 'Trigger on attachments: points log_lines and the trigger functions at the attached table.';

CREATE OR REPLACE TRIGGER apply_attachment AFTER INSERT OR DELETE ON logintel.attachments
    FOR EACH ROW EXECUTE FUNCTION logintel._apply_attachment();
