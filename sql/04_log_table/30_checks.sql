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
        SELECT a.id, a.log_table, a.columns, c.relnamespace::regnamespace AS schema, c.relowner::regrole AS owner,
               logintel._installer_reader(a.log_table) AS reader
        FROM logintel_internal.attachments a JOIN pg_class c ON c.oid = a.log_table)
    SELECT 'problem', format('role %s may not use the schema %s: waiting lines of %s cannot be scored', t.reader,
                             t.schema, t.log_table),
           format('as its owner: GRANT USAGE ON SCHEMA %s TO %s', t.schema, t.reader)
    FROM attached t WHERE NOT has_schema_privilege(t.reader, t.schema, 'USAGE')
    UNION ALL
    SELECT 'problem', format('role %s may not read %s of %s: waiting lines cannot be scored', t.reader,
                             string_agg(quote_ident(c.attname), ', ' ORDER BY c.attnum), t.log_table),
           format('as its owner: GRANT SELECT (%s) ON %s TO %s',
                  string_agg(quote_ident(c.attname), ', ' ORDER BY c.attnum), t.log_table, t.reader)
    FROM attached t
    JOIN pg_attribute c ON c.attrelid = t.log_table AND NOT c.attisdropped
                           AND c.attname IN (SELECT v.value FROM jsonb_each_text(t.columns) AS v)
    WHERE NOT has_column_privilege(t.reader, t.log_table, c.attnum, 'SELECT') GROUP BY t.log_table, t.reader
    UNION ALL
    SELECT 'problem', format('row-level security hides lines of %s from role %s', t.log_table, t.reader),
           format('as its owner: ALTER TABLE %s NO FORCE ROW LEVEL SECURITY; or as a superuser: '
                  'ALTER ROLE %s BYPASSRLS', t.log_table, t.reader)
    FROM attached t WHERE logintel._hides_lines_from(t.reader, t.log_table)
    UNION ALL
    SELECT 'problem', format('%s would be read with the rights of %s, not of %s: waiting lines cannot be scored',
                             t.log_table, coalesce(logintel._reads_as(t.id)::text, 'nobody'), t.reader),
           format('as %s, or a superuser: SELECT logintel.adopt_partitions()', t.owner)
    FROM attached t WHERE logintel._reads_as(t.id) IS DISTINCT FROM t.reader
    UNION ALL
    SELECT 'problem', format('role %s has members, who can do with logintel whatever they like: %s', m.roleid::regrole,
                             string_agg(m.member::regrole::text, ', ')),
           format('REVOKE %s FROM %s', m.roleid::regrole, string_agg(m.member::regrole::text, ', '))
    FROM pg_auth_members m
    WHERE m.roleid IN (to_regrole('logintel_owner'), to_regrole('logintel_fetcher'))
      AND NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = m.member)
    GROUP BY m.roleid
    UNION ALL
    SELECT 'problem', format('role %s can do what %s can', m.member::regrole, m.roleid::regrole),
           format('REVOKE %s FROM %s', m.roleid::regrole, m.member::regrole)
    FROM pg_auth_members m WHERE m.member IN (to_regrole('logintel_owner'), to_regrole('logintel_fetcher'))
    UNION ALL
    SELECT 'problem', format('role %I can log in, or has other rights of its own', r.rolname),
           format('ALTER ROLE %I NOLOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION', r.rolname)
    FROM pg_roles r
    WHERE r.rolname IN ('logintel_owner', 'logintel_fetcher')
      AND (r.rolcanlogin OR r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication);
END;

COMMENT ON FUNCTION logintel._check_044_rights() IS 'Check of doctor(): whether each log table can be read, and logintel''s roles are nobody else.';
