CREATE OR REPLACE FUNCTION logintel._new_attachment(
    log_table regclass, columns jsonb, layout text, level_scale text, time_zone text,
    OUT attached logintel_internal.attachments, OUT how_found jsonb
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    SELECT coalesce(jsonb_object_agg(m.field, m.column_name) FILTER (WHERE m.column_name IS NOT NULL), '{}'),
           coalesce(jsonb_object_agg(m.field, m.paths) FILTER (WHERE m.paths IS NOT NULL), '{}'),
           jsonb_object_agg(m.field, m.how)
    INTO attached.columns, attached.paths, how_found
    FROM logintel._map_columns(log_table, columns, layout) m;
    attached.log_table := log_table;
    attached.time_zone := time_zone;
    attached.level_scale := logintel._level_scale(coalesce(level_scale, (
        SELECT l.level_scale FROM logintel._layout_of(log_table, layout) l
        WHERE EXISTS (SELECT FROM logintel._table_columns(log_table) c
                      WHERE c.name = attached.columns ->> 'level' AND c.kind = 'number'))));
    PERFORM now() AT TIME ZONE time_zone;
EXCEPTION WHEN invalid_parameter_value THEN
    IF SQLERRM LIKE 'time zone %' THEN
        RAISE EXCEPTION 'there is no time zone "%"', time_zone
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name one such as Europe/Berlin.';
    END IF;
    RAISE;
END
$function$;

COMMENT ON FUNCTION logintel._new_attachment(regclass, jsonb, text, text, text) IS 'The attachment of a log table, not yet kept, and how its columns were found.';

-- Whoever attaches a table lets logintel, and those who read its views, read the columns that it names. So only who
-- owns the table may attach it. A dry run is an attachment that is rolled back, without triggers, which need a lock.
CREATE OR REPLACE FUNCTION logintel.attach(
    log_table regclass, columns jsonb DEFAULT '{}', manage_partitions boolean DEFAULT false,
    level_scale text DEFAULT NULL, time_zone text DEFAULT 'UTC', layout text DEFAULT 'auto',
    add_key boolean DEFAULT false, dry_run boolean DEFAULT false
) RETURNS TABLE (field text, source text, how text, example text, note text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    new record;
    attached logintel_internal.attachments;
BEGIN
    PERFORM logintel._check_table(attach.log_table);
    IF add_key AND columns ? 'id' THEN
        RAISE EXCEPTION 'the field "id" of % is mapped, and a key is to be added', log_table
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave out one of the two.';
    ELSIF add_key THEN
        PERFORM logintel._installer_add_key(attach.log_table, NOT dry_run);
        columns := columns || '{"id": "logintel_id"}';
    END IF;
    new := logintel._new_attachment(attach.log_table, columns, layout, attach.level_scale, attach.time_zone);
    attached := new.attached;
    new.how_found := CASE WHEN add_key THEN new.how_found || '{"id": "added"}' ELSE new.how_found END;
    PERFORM logintel._check_columns(attached.log_table, attached.columns, attached.paths);
    PERFORM logintel._installer_add_key(attached.log_table, NOT dry_run)
    WHERE attached.columns ->> 'id' = 'logintel_id';
    PERFORM logintel._check_managed(attached.log_table, attached.columns ->> 'timestamp') WHERE manage_partitions;
    INSERT INTO logintel_internal.attachments AS a (log_table, columns, paths, manages_partitions, level_scale,
        time_zone)
    VALUES (attached.log_table, attached.columns, attached.paths, manage_partitions, attached.level_scale,
            attached.time_zone) RETURNING a.id INTO attached.id;
    PERFORM logintel._check_readable(attached);
    PERFORM logintel._check_key(attached);
    IF NOT dry_run THEN
        PERFORM logintel._create_triggers(attached.log_table);
        -- Only now is the table locked: what was written for its columns is written once more for those that it has.
        PERFORM logintel._check_columns(attached.log_table, attached.columns, attached.paths);
        UPDATE logintel_internal.attachments a SET columns = a.columns WHERE a.id = attached.id;
    END IF;
    RETURN QUERY SELECT * FROM logintel._what_was_attached(attached, new.how_found);
    PERFORM logintel._roll_back() WHERE dry_run;
    PERFORM logintel._warn_of_numbers(attached);
EXCEPTION WHEN SQLSTATE 'LI001' THEN
    RETURN;
END
$function$;

COMMENT ON FUNCTION logintel.attach(regclass, jsonb, boolean, text, text, text, boolean, boolean) IS 'Attaches a log table: its lines are scored from here on. Returns for each field where it is read, how that was found, and an example. The mapping {"field": "column"} names what was not found or is wrong: a column, a place in a document ("data->>log", or a list of them), or null to leave the field out. With manage_partitions, maintain() creates its daily partitions and drops old ones. level_scale says what numbers in its column of levels mean: syslog, pino, python, dotnet, otel, log4j, monolog, windows, ruby, logrus, zap, slog, or your own as {"0": "DEBUG", ...}. time_zone is that of times without one. layout names a program whose table it is, where it is not told from the columns. add_key adds a column that numbers lines, to a table without a key. dry_run shows what would be attached.';
