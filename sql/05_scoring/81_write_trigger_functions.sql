-- Writes the functions behind the triggers for the attached table and what serves lines. Transition tables are visible in
-- the trigger function alone, and a statement planned once is several times faster than one planned for every insert, so
-- both are written into the functions. The lock keeps two that write them apart.
--
-- pg_catalog comes first without being named; naming it would make every call look it up.
CREATE OR REPLACE FUNCTION logintel._write_trigger_function(name text, body text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION logintel.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER '
                   'SET search_path = pg_temp SET jit = off SET enable_seqscan = off AS %L', name,
                   concat(E'\nDECLARE\n    none_scored boolean := true;\n    left_out refcursor;\n    nested_loops text;\n    waiting bigint;\nBEGIN',
                          body, E'    RETURN NULL;\nEND\n'));
END
$function$;

COMMENT ON FUNCTION logintel._write_trigger_function(text, text) IS 'Writes a trigger function with this body.';

CREATE OR REPLACE FUNCTION logintel._write_trigger_functions() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS
$function$
DECLARE
    attached logintel.attachments;
    serving logintel.serving;
    is_off boolean := logintel._setting('mode') = 'off';
    -- As _shape() takes them.
    names text[] := ARRAY['message', 'service', 'source_type', 'level', 'http_status', 'response_time_ms'];
    id text;
    "time" text;
    fields text;
    selected text;
    of_changed text := 't.' || array_to_string(names, ', t.');
    changed text;
    scorer text;
    reason text;
BEGIN
    PERFORM logintel._lock_deployments();
    SELECT a.* INTO attached FROM logintel.attachments a;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT v.* INTO serving FROM logintel._serving() v;
    id := logintel._line_expression(attached.log_table, attached.columns, 'id');
    "time" := format('coalesce(%s, now())', logintel._line_expression(attached.log_table, attached.columns, 'timestamp'));
    SELECT string_agg(e.expression, ', ' ORDER BY f.n), format('SELECT %s AS id, %s AS "timestamp", ', id, "time")
               || string_agg(format('%s AS %s', e.expression, f.name), ', ' ORDER BY f.n)
    INTO fields, selected
    FROM unnest(names) WITH ORDINALITY AS f (name, n),
         LATERAL logintel._line_expression(attached.log_table, attached.columns, f.name) AS e (expression);
    changed := format('(SELECT * FROM (%1$s FROM new_lines t EXCEPT ALL %1$s FROM old_lines t) c '
                      'WHERE NOT EXISTS (SELECT FROM logintel.pending q WHERE q.log_entry_id = c.id)) t', selected);

    IF is_off OR serving IS NULL THEN
        reason := CASE WHEN NOT is_off THEN 'no model is deployed' END;
        PERFORM logintel._write_trigger_function('_score_new_lines', logintel._waiting_path('new_lines t', id, reason));
    ELSE
        scorer := serving.model_set_id;
        IF serving.test_id IS NOT NULL THEN
            scorer := format('CASE WHEN logintel._in_share(l.id, %s, %L) '
                             'AND EXISTS (SELECT FROM logintel.serving v WHERE v.id = %s) THEN %s ELSE %s END',
                             serving.test_id, serving.share, serving.id, serving.challenger_set_id, serving.model_set_id);
        END IF;
        PERFORM logintel._write_trigger_function('_score_new_lines', concat(
            logintel._hot_path('new_lines t', id, "time", fields, scorer),
            logintel._cold_path('new_lines t', id, "time", fields)));
    END IF;
    PERFORM logintel._write_trigger_function('_score_changed_lines', concat(
        logintel._forget_path(format('SELECT d.id FROM (%1$s FROM old_lines t EXCEPT ALL %1$s FROM new_lines t) d UNION '
                                     'SELECT d.id FROM (%1$s FROM new_lines t EXCEPT ALL %1$s FROM old_lines t) d', selected)),
        CASE WHEN is_off OR serving IS NULL THEN logintel._waiting_path(changed, 't.id', reason)
             ELSE logintel._cold_path(changed, 't.id', 't."timestamp"', of_changed) END));
    PERFORM logintel._write_trigger_function(
        '_forget_deleted_lines', logintel._forget_path(format('SELECT %s AS id FROM old_lines t', id)));
END
$function$;

COMMENT ON FUNCTION logintel._write_trigger_functions() IS 'Writes the trigger functions for the attached table and what serves lines.';

CREATE OR REPLACE FUNCTION logintel._rewrite_trigger_functions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._write_trigger_functions();
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._rewrite_trigger_functions() IS 'Trigger on serving and settings: lets the write path know what serves.';

CREATE OR REPLACE TRIGGER rewrite_trigger_functions AFTER INSERT OR UPDATE OR DELETE ON logintel.serving
    FOR EACH STATEMENT EXECUTE FUNCTION logintel._rewrite_trigger_functions();
CREATE OR REPLACE TRIGGER rewrite_trigger_functions AFTER INSERT OR UPDATE ON logintel.settings
    FOR EACH ROW WHEN (NEW.name = 'mode') EXECUTE FUNCTION logintel._rewrite_trigger_functions();
