-- The checks of doctor(): each returns rows of (status, detail, next_step).
CREATE OR REPLACE FUNCTION logintel._check_python(OUT status text, OUT detail text, OUT next_step text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    status := 'ok';
    detail := logintel._python_versions();
END
$function$;

CREATE OR REPLACE FUNCTION logintel._check_models() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    model record;
BEGIN
    FOR model IN SELECT m.*, CASE WHEN m.id <> d.id THEN format(', member of %s %s', d.name, d.version) ELSE '' END AS part
                 FROM logintel.models d
                 CROSS JOIN unnest(d.id || logintel._members(d.id)) AS parts (id)
                 JOIN logintel.models m ON m.id = parts.id
                 WHERE logintel._is_in_force(d.id) ORDER BY d.name, m.id <> d.id, m.version LOOP
        BEGIN
            status := 'ok';
            next_step := NULL;
            IF model.metadata ->> 'kind' = 'ensemble' THEN
                detail := format('%s %s combines its members by %s', model.name, model.version, model.metadata ->> 'combine');
                IF logintel._ensemble_sha256(logintel._members(model.id), model.metadata ->> 'combine') <> model.sha256 THEN
                    RAISE EXCEPTION 'its members do not match its SHA-256';
                END IF;
            ELSE
                detail := format('%s %s%s reproduces its golden cases', model.name, model.version, model.part);
                IF encode(sha256(model.onnx), 'hex') <> model.sha256 THEN
                    RAISE EXCEPTION 'its bytes do not match its SHA-256';
                END IF;
                PERFORM logintel._check_model(model.name, model.onnx, model.metadata, model.golden);
            END IF;
            IF (model.metadata ->> 'shape_version')::integer <> logintel.shape_version() THEN
                status := 'problem';
                detail := format('%s %s%s was trained with another version of the shape function', model.name, model.version, model.part);
                next_step := 'train it again: logintel train --deploy';
            END IF;
        EXCEPTION WHEN OTHERS THEN
            status := 'problem';
            detail := format('%s %s%s: %s', model.name, model.version, model.part, SQLERRM);
            next_step := format('SELECT logintel.rollback(%L), or train again: logintel train --deploy', model.name);
        END;
        RETURN NEXT;
    END LOOP;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'problem', 'no model is deployed', 'logintel train --deploy';
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION logintel._check_settings() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN s.name = 'mode' AND s.value <> 'inline' THEN 'note' ELSE 'ok' END,
           format('%s = %s', s.name, s.value),
           CASE WHEN s.name = 'mode' AND s.value <> 'inline' THEN 'let "logintel worker" run, or set mode to inline' END
    FROM logintel.settings s ORDER BY s.name;
END;

CREATE OR REPLACE FUNCTION logintel._check_log_table() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN i.present THEN 'ok' ELSE 'note' END,
           format('%s is attached%s', a.log_table, CASE WHEN NOT i.present THEN ', but has no index on its key' END),
           CASE WHEN NOT i.present THEN 'create an index on the key, or views that show lines are slow' END
    FROM logintel.attachments a
    CROSS JOIN LATERAL (
        SELECT EXISTS (SELECT FROM pg_index x JOIN pg_attribute c ON c.attrelid = x.indrelid AND c.attnum = x.indkey[0]
                       WHERE x.indrelid = a.log_table AND c.attname = a.columns ->> 'id') AS present) AS i
    UNION ALL
    SELECT 'problem', 'no log table is attached', 'SELECT logintel.create_log_entries(), or SELECT logintel.attach(...)'
    WHERE NOT EXISTS (SELECT FROM logintel.attachments);
END;

CREATE OR REPLACE FUNCTION logintel._check_triggers() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE g.tgenabled WHEN 'O' THEN 'ok' WHEN 'A' THEN 'ok' ELSE 'problem' END,
           format('%s on %s is %s', t.name, p.tbl,
                  CASE WHEN g.tgenabled IS NULL THEN 'missing' WHEN g.tgenabled IN ('O', 'A') THEN 'enabled' ELSE 'disabled' END),
           CASE WHEN g.tgenabled IS NULL THEN 'SELECT logintel.maintain()'
                WHEN g.tgenabled NOT IN ('O', 'A') THEN format('ALTER TABLE %s ENABLE TRIGGER %I', p.tbl, t.name) END
    FROM logintel.attachments a
    CROSS JOIN LATERAL logintel._trigger_tables(a.log_table) AS p (tbl)
    CROSS JOIN (VALUES ('logintel_insert'), ('logintel_update'), ('logintel_delete'), ('logintel_truncate')) AS t (name)
    LEFT JOIN pg_trigger g ON g.tgrelid = p.tbl AND g.tgname = t.name;
END;

CREATE OR REPLACE FUNCTION logintel._check_lines() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    pending bigint := (SELECT s.pending FROM logintel.ml_status s);
BEGIN
    RETURN QUERY SELECT CASE WHEN pending > 0 THEN 'note' ELSE 'ok' END, format('%s lines are pending', pending),
                        CASE WHEN pending > 0 THEN 'let "logintel worker" run, or SELECT logintel.backfill() until it returns 0' END;
END
$function$;

CREATE OR REPLACE FUNCTION logintel._check_upkeep() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN late THEN 'note' ELSE 'ok' END,
           coalesce('maintain() ran ' || date_trunc('second', now() - r.counted_at) || ' ago', 'maintain() never ran'),
           CASE WHEN late THEN 'let "logintel worker" run, or SELECT logintel.schedule() with pg_cron: every minute keeps views and look-ups fast' END
    FROM logintel.rollup_state r
    CROSS JOIN LATERAL (SELECT coalesce(r.counted_at < now() - interval '10 minutes', true)) AS l (late)
    UNION ALL
    SELECT 'note', format('%s days older than retention_days are still there', count(*)),
           'maintain() drops them as soon as no transaction that read or wrote the log table stays open'
    FROM logintel._expired_days() HAVING count(*) > 0;
END;

COMMENT ON FUNCTION logintel._check_python() IS 'Check of doctor(): Python, packages and versions.';
COMMENT ON FUNCTION logintel._check_models() IS 'Check of doctor(): the models in force.';
COMMENT ON FUNCTION logintel._check_settings() IS 'Check of doctor(): settings.';
COMMENT ON FUNCTION logintel._check_log_table() IS 'Check of doctor(): the attached log table.';
COMMENT ON FUNCTION logintel._check_triggers() IS 'Check of doctor(): triggers on the log table and its partitions.';
COMMENT ON FUNCTION logintel._check_lines() IS 'Check of doctor(): pending lines.';
COMMENT ON FUNCTION logintel._check_upkeep() IS 'Check of doctor(): work that is left for maintain().';
