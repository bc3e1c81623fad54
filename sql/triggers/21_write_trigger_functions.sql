-- Writes the functions behind the triggers for an attached table. Transition tables are visible in the trigger function
-- alone, and a statement planned once is several times faster than one planned for every insert, so the names of
-- the columns are written into the functions.
CREATE FUNCTION logintel._write_trigger_functions(columns jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    id text := logintel._line_expression(columns, 'id');
    fields text[] := ARRAY['message', 'service', 'source_type', 'level', 'http_status', 'response_time_ms'];  -- as shape() takes them
    arguments text := (
        SELECT string_agg(logintel._line_expression(columns, f.name), ', ' ORDER BY f.n)
        FROM unnest(fields) WITH ORDINALITY AS f (name, n));
    selected text := (
        SELECT format('SELECT %s AS id, ', id)
               || string_agg(format('%s AS %I', logintel._line_expression(columns, f.name), f.name), ', ' ORDER BY f.n)
        FROM unnest(fields) WITH ORDINALITY AS f (name, n));
    old_lines text := selected || ' FROM old_lines t';
    new_lines text := selected || ' FROM new_lines t';
    header text := 'CREATE OR REPLACE FUNCTION logintel.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER '
                   'SET search_path = pg_catalog, pg_temp AS %L';
BEGIN
    EXECUTE format(header, 'score_new_lines', logintel._scoring_body('new_lines t', id, arguments, ''));
    EXECUTE format(header, 'score_changed_lines', logintel._scoring_body(
        format('(%s EXCEPT ALL %s) t', new_lines, old_lines),
        't.id', (SELECT string_agg('t.' || f, ', ' ORDER BY n) FROM unnest(fields) WITH ORDINALITY AS u (f, n)),
        format('DELETE FROM logintel.predictions p USING (%s EXCEPT ALL %s) o WHERE p.log_entry_id = o.id;',
               old_lines, new_lines)));
    EXECUTE format(header, 'forget_deleted_lines', format(
        'BEGIN DELETE FROM logintel.predictions p USING old_lines t WHERE p.log_entry_id = %s; RETURN NULL; END', id));
END
$function$;

COMMENT ON FUNCTION logintel._write_trigger_functions(jsonb) IS 'Writes the trigger functions for a log table with this column mapping.';
