CREATE OR REPLACE FUNCTION logintel._check_041_log_table() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
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

COMMENT ON FUNCTION logintel._check_041_log_table() IS 'Check of doctor(): the attached log table.';

CREATE OR REPLACE FUNCTION logintel._check_042_triggers() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH triggers AS (
        SELECT t.* FROM logintel.attachments a CROSS JOIN LATERAL logintel._trigger_states(a.log_table) t)
    SELECT 'ok', format('%s triggers on %s tables', count(*), count(DISTINCT t.tbl)), NULL
    FROM triggers t HAVING bool_and(t.state = 'ok')
    UNION ALL
    SELECT 'problem', format('%s on %s is %s', string_agg(t.name, ', ' ORDER BY t.name), t.tbl,
                             CASE t.state WHEN 'replaced' THEN 'replaced by another trigger of that name'
                                          ELSE t.state END),
           CASE t.state WHEN 'disabled'
                THEN string_agg(format('ALTER TABLE %s ENABLE TRIGGER %I', t.tbl, t.name), '; ' ORDER BY t.name)
                ELSE 'run CALL logintel.maintain(''45 s'')' END
    FROM triggers t WHERE t.state <> 'ok' GROUP BY t.tbl, t.state;
END;

COMMENT ON FUNCTION logintel._check_042_triggers() IS 'Check of doctor(): triggers on the log table and its partitions.';

CREATE OR REPLACE FUNCTION logintel._check_043_retention() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN count(*) > 0 THEN 'note' ELSE 'ok' END,
           format('%s days older than retention_days are still there', count(*)),
           CASE WHEN count(*) > 0 THEN
               'maintain() drops them as soon as no transaction that read or wrote the log table stays open' END
    FROM logintel._expired_days();
END;

COMMENT ON FUNCTION logintel._check_043_retention() IS 'Check of doctor(): days that retention has to drop.';
