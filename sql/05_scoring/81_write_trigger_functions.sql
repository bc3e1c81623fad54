-- Writes the functions behind the triggers for the attached table and the model set in force. Transition tables are
-- visible in the trigger function alone, and a statement planned once is several times faster than one planned for
-- every insert, so both are written into the functions, and a split test while one runs. The lock keeps two that write
-- them apart.
--
-- pg_catalog comes first without being named; naming it would make every call look it up.
CREATE OR REPLACE FUNCTION logintel._write_trigger_functions() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    attached logintel.attachments;
    in_force integer;
    split logintel.ab_tests;
    id text;
    "time" text;
    fields text[] := ARRAY['message', 'service', 'source_type', 'level', 'http_status', 'response_time_ms'];  -- as shape() takes them
    arguments text;
    selected text;
    old_lines text;
    new_lines text;
    changed text;
    header text := 'CREATE OR REPLACE FUNCTION logintel.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER '
                   'SET search_path = pg_temp AS %L';
BEGIN
    PERFORM logintel._lock_deployments();
    SELECT a.* INTO attached FROM logintel.attachments a;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    in_force := CASE WHEN logintel._setting('mode') <> 'off' THEN logintel._active_model_set() END;
    SELECT t.* INTO split FROM logintel.ab_tests t WHERE t.ended_at IS NULL AND t.share > 0;
    id := logintel._line_expression(attached.log_table, attached.columns, 'id');
    "time" := format('coalesce(%s, now())', logintel._line_expression(attached.log_table, attached.columns, 'timestamp'));
    SELECT string_agg(logintel._line_expression(attached.log_table, attached.columns, f.name), ', ' ORDER BY f.n),
           format('SELECT %s AS id, %s AS "timestamp", ', id, "time")
               || string_agg(format('%s AS %I', logintel._line_expression(attached.log_table, attached.columns, f.name), f.name), ', ' ORDER BY f.n)
    INTO arguments, selected
    FROM unnest(fields) WITH ORDINALITY AS f (name, n);
    old_lines := selected || ' FROM old_lines t';
    new_lines := selected || ' FROM new_lines t';
    changed := format('(%s EXCEPT ALL %s)', new_lines, old_lines);

    EXECUTE format(header, 'score_new_lines',
                   logintel._scoring_body('new_lines t', id, "time", arguments, '', in_force, split));
    -- A line that waits may be in a worker's hands: it is queued again and all of it is left to the queue, so that who
    -- writes never touches, and never waits for, a prediction that somebody else is replacing.
    EXECUTE format(header, 'score_changed_lines', logintel._scoring_body(
        format('(SELECT * FROM %s c WHERE NOT EXISTS (SELECT FROM logintel.pending q WHERE q.log_entry_id = c.id)) t', changed),
        't.id', 't."timestamp"',
        (SELECT string_agg('t.' || f, ', ' ORDER BY n) FROM unnest(fields) WITH ORDINALITY AS u (f, n)),
        format('INSERT INTO logintel.pending (log_entry_id) SELECT c.id FROM (SELECT id FROM %1$s n UNION SELECT id FROM (%2$s EXCEPT ALL %3$s) o) c '
               'WHERE EXISTS (SELECT FROM logintel.pending q WHERE q.log_entry_id = c.id);'
               'PERFORM logintel._remove_predictions(ARRAY(SELECT o.id FROM (%2$s EXCEPT ALL %3$s) o '
               'WHERE NOT EXISTS (SELECT FROM logintel.pending q WHERE q.log_entry_id = o.id)));',
               changed, old_lines, new_lines), in_force, split));
    EXECUTE format(header, 'forget_deleted_lines', format(
        'BEGIN INSERT INTO logintel.pending (log_entry_id) SELECT %1$s FROM old_lines t '
        'WHERE EXISTS (SELECT FROM logintel.pending q WHERE q.log_entry_id = %1$s);'
        'PERFORM logintel._remove_predictions(ARRAY(SELECT %1$s FROM old_lines t '
        'WHERE NOT EXISTS (SELECT FROM logintel.pending q WHERE q.log_entry_id = %1$s))); RETURN NULL; END', id));
END
$function$;

COMMENT ON FUNCTION logintel._write_trigger_functions() IS 'Writes the trigger functions for the attached table, the model set in force and the split test that runs.';

CREATE OR REPLACE FUNCTION logintel._rewrite_trigger_functions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._write_trigger_functions();
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._rewrite_trigger_functions() IS 'Trigger on deployments, A/B tests and settings: lets the write path know what serves.';

CREATE OR REPLACE TRIGGER rewrite_trigger_functions AFTER INSERT OR UPDATE OR DELETE ON logintel.deployments
    FOR EACH STATEMENT EXECUTE FUNCTION logintel._rewrite_trigger_functions();
CREATE OR REPLACE TRIGGER rewrite_trigger_functions AFTER INSERT OR UPDATE ON logintel.settings
    FOR EACH ROW WHEN (NEW.name = 'mode') EXECUTE FUNCTION logintel._rewrite_trigger_functions();
CREATE OR REPLACE TRIGGER rewrite_trigger_functions AFTER INSERT OR UPDATE ON logintel.ab_tests
    FOR EACH ROW WHEN (NEW.share > 0) EXECUTE FUNCTION logintel._rewrite_trigger_functions();
CREATE OR REPLACE TRIGGER rewrite_trigger_functions_after_delete AFTER DELETE ON logintel.ab_tests
    FOR EACH ROW WHEN (OLD.share > 0) EXECUTE FUNCTION logintel._rewrite_trigger_functions();
