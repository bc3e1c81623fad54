CREATE OR REPLACE FUNCTION logintel._check_041_log_table() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN NOT t.present THEN 'problem' WHEN i.present THEN 'ok' ELSE 'note' END,
           CASE WHEN NOT t.present THEN format('the attached log table %s was dropped', a.log_table)
                ELSE format('%s is attached%s', a.log_table, CASE WHEN NOT i.present
                    THEN ', but has no index on its key' END) END,
           CASE WHEN NOT t.present
               THEN 'run CALL logintel.maintain(''45 s''), which forgets it; then attach another one'
                WHEN NOT i.present THEN 'create an index on the key, or views that show lines are slow' END
    FROM logintel_internal.attachments a
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_class c WHERE c.oid = a.log_table) AS present) AS t
    CROSS JOIN LATERAL (
        SELECT EXISTS (SELECT FROM pg_index x JOIN pg_attribute c ON c.attrelid = x.indrelid AND c.attnum = x.indkey[0]
                       WHERE x.indrelid = a.log_table AND c.attname = a.columns ->> 'id') AS present) AS i
    UNION ALL
    SELECT 'problem', 'no log table is attached', 'SELECT logintel.create_log_entries(), or SELECT logintel.attach(...)'
    WHERE NOT EXISTS (SELECT FROM logintel_internal.attachments);
END;

COMMENT ON FUNCTION logintel._check_041_log_table() IS 'Check of doctor(): the attached log table.';

CREATE OR REPLACE FUNCTION logintel._check_042_triggers() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH triggers AS (
        SELECT t.* FROM logintel_internal.attachments a CROSS JOIN LATERAL logintel._trigger_states(a.log_table) t)
    SELECT 'ok', format('%s triggers on %s tables', count(*), count(DISTINCT t.tbl)), NULL
    FROM triggers t HAVING bool_and(t.state = 'ok')
    UNION ALL
    SELECT 'problem', format('%s on %s is %s', string_agg(t.name, ', ' ORDER BY t.name), t.tbl,
                             CASE t.state WHEN 'replaced' THEN 'replaced by another trigger of that name'
                                          ELSE t.state END),
           CASE t.state WHEN 'disabled'
                THEN string_agg(format('ALTER TABLE %s ENABLE TRIGGER %I', t.tbl, t.name), '; ' ORDER BY t.name)
                ELSE 'run CALL logintel.maintain(''45 s'')' END
    FROM triggers t WHERE t.state <> 'ok' GROUP BY t.tbl, t.state
    UNION ALL
    SELECT 'problem', format('%s has a foreign partition, %s: what is inserted through the table is scored late',
                             a.log_table, string_agg(t.tbl::text, ', ')),
           'keep lines in partitions of this server; after each load, run SELECT * FROM logintel.reconcile()'
    FROM logintel_internal.attachments a CROSS JOIN LATERAL logintel._tables_below(a.log_table) t
    WHERE t.kind = 'f' GROUP BY a.log_table
    UNION ALL
    SELECT 'note', format('%s on %s is left over', t.name, t.tbl), 'run CALL logintel.maintain(''45 s'')'
    FROM logintel._left_triggers() t;
END;

COMMENT ON FUNCTION logintel._check_042_triggers() IS 'Check of doctor(): triggers on the log table and its partitions.';

CREATE OR REPLACE FUNCTION logintel._check_043_columns() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'problem', format('column "%s" of %s, for the field "%s", is called otherwise or gone: lines wait',
                             c.value, a.log_table, c.key),
           'run CALL logintel.maintain(''45 s''), which finds a column that was renamed; for one that was dropped, '
           'attach the table anew'
    FROM logintel_internal.attachments a CROSS JOIN LATERAL jsonb_each_text(a.columns) AS c
    WHERE EXISTS (SELECT FROM pg_class t WHERE t.oid = a.log_table)
      AND NOT EXISTS (SELECT FROM pg_attribute t
                      WHERE t.attrelid = a.log_table AND t.attname = c.value AND NOT t.attisdropped)
    UNION ALL
    SELECT 'problem', format('%s has lost the column for the field "%s"', a.log_table, f.name),
           format('SELECT logintel.detach(%L), and attach the table with the column that holds it now', a.log_table)
    FROM logintel_internal.attachments a CROSS JOIN logintel._line_fields() f
        WHERE f.required AND NOT a.columns ? f.name
    UNION ALL
    SELECT 'note', format('key column "%s" of %s may be null: lines without a key get no prediction',
                          c.attname, a.log_table),
           format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', a.log_table, c.attname)
    FROM logintel_internal.attachments a JOIN pg_attribute c ON c.attrelid = a.log_table
        AND c.attname = a.columns ->> 'id'
    WHERE NOT c.attnotnull AND NOT c.atthasdef
    UNION ALL
    SELECT 'note', format('nothing keeps the key "%s" of %s unique: lines of one key are mixed up', a.columns ->> 'id',
                          a.log_table),
           format('CREATE UNIQUE INDEX ON %s (%I)', a.log_table, a.columns ->> 'id')
    FROM logintel_internal.attachments a
    WHERE a.columns ? 'id' AND NOT logintel._is_kept_unique(a.log_table, a.columns ->> 'id');
END;

COMMENT ON FUNCTION logintel._check_043_columns() IS 'Check of doctor(): the columns of the log table.';

CREATE OR REPLACE FUNCTION logintel._check_044_rights() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH attached AS (
        SELECT a.log_table, k.role AS fetcher, c.attname,
               has_column_privilege(k.role, a.log_table, c.attnum, 'SELECT') AS readable
        FROM logintel_internal.attachments a
        CROSS JOIN LATERAL logintel._installer_fetcher(a.log_table, a.id) AS k (role)
        JOIN pg_attribute c ON c.attrelid = a.log_table AND NOT c.attisdropped
                               AND c.attname IN (SELECT v.value FROM jsonb_each_text(a.columns) AS v))
    SELECT 'problem', format('role %s may not read %s of %s: waiting lines cannot be scored', t.fetcher,
                             string_agg(quote_ident(t.attname), ', '), t.log_table),
           format('as its owner: GRANT SELECT (%s) ON %s TO %s', string_agg(quote_ident(t.attname), ', '), t.log_table,
               t.fetcher)
    FROM attached t WHERE NOT t.readable GROUP BY t.log_table, t.fetcher
    UNION ALL
    SELECT 'problem', format('row-level security hides lines of %s from role %s', a.log_table, k.role),
           format('as a superuser: ALTER ROLE %s BYPASSRLS', k.role)
    FROM logintel_internal.attachments a
    CROSS JOIN LATERAL logintel._installer_fetcher(a.log_table, a.id) AS k (role)
    WHERE logintel._hides_lines_from(k.role, a.log_table)
    UNION ALL
    SELECT 'problem', format('%s is read by %s, not by %s: waiting lines cannot be scored', a.log_table,
                             coalesce(p.proowner::regrole::text, 'nobody'), coalesce(k.role::text, 'a fetcher')),
           format('as %s, or a superuser: SELECT logintel.adopt_partitions()', c.relowner::regrole)
    FROM logintel_internal.attachments a JOIN pg_class c ON c.oid = a.log_table
    CROSS JOIN LATERAL logintel._installer_fetcher(a.log_table, a.id) AS k (role)
    LEFT JOIN pg_proc p ON p.pronamespace = 'logintel'::regnamespace AND p.proname = concat('_fetch_', a.id)
    WHERE p.proowner IS DISTINCT FROM k.role
    UNION ALL
    SELECT 'problem', format('role %s has members, who can do with logintel whatever they like: %s', m.roleid::regrole,
                             string_agg(m.member::regrole::text, ', ')),
           format('REVOKE %s FROM %s', m.roleid::regrole, string_agg(m.member::regrole::text, ', '))
    FROM pg_auth_members m
    WHERE m.roleid IN (SELECT logintel._installer_keeper() UNION ALL
                       SELECT logintel._installer_fetcher(a.log_table, a.id) FROM logintel_internal.attachments a)
      AND NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = m.member)
      AND NOT (SELECT r.rolcanlogin FROM pg_roles r WHERE r.oid = m.roleid)
    GROUP BY m.roleid;
END;

COMMENT ON FUNCTION logintel._check_044_rights() IS 'Check of doctor(): whether logintel''s roles can read the log table, and are nobody else.';
