-- plainly: a column that is of its field's own type, by its name alone. Nothing keeps it from having another type; what
-- reads it so checks that beside it.
CREATE OR REPLACE FUNCTION logintel._line_columns(attached logintel_internal.attachments, plainly boolean) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT concat(string_agg(format('%s AS %I', CASE WHEN plainly THEN p.expression ELSE e.expression END, f.name),
                                 ', ' ORDER BY f.n),
                      format(', %s AS attachment_id, %L::pg_catalog.regclass AS log_table', coalesce(($1).id::text,
                          'NULL::pg_catalog.int4'), ($1).log_table))
        FROM logintel._line_fields() WITH ORDINALITY AS f (name, type, required, takes, n)
        JOIN logintel._line_expressions($1) e ON e.field = f.name
        CROSS JOIN LATERAL regexp_replace(
            e.expression, E'^logintel\\._exactly\\((t\\.("([^"]|"")+"|[a-z0-9_$]+)), NULL::pg_catalog\\.('
                'int8\\)::bigint|(text|timestamptz)\\)::pg_catalog\\.(text|timestamptz)|bool\\)::boolean|'
                'int4\\)::integer|float8\\)::double precision)$', E'\\1') AS p (expression));

COMMENT ON FUNCTION logintel._line_columns(logintel_internal.attachments, boolean) IS 'The columns of _log_lines() as SQL that reads them from an attached table t: by its name alone where the column is of the type of the field, or by what works with no other type.';

-- The planner puts the text into queries. Samples are of tables alone: a view in the place of the table, whose owner
-- may have renamed that, is never read, since the text cannot even be parsed. Of a table, none is taken.
CREATE OR REPLACE FUNCTION logintel._log_lines_text(attached logintel_internal.attachments) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT format('SELECT %s FROM %2$s t '
                      'WHERE true OR EXISTS (SELECT FROM %2$s TABLESAMPLE pg_catalog.system (0))',
                      logintel._line_columns($1, false), ($1).log_table));

COMMENT ON FUNCTION logintel._log_lines_text(logintel_internal.attachments) IS 'The query that reads the lines of an attached table.';

CREATE OR REPLACE FUNCTION logintel._lines_query(attachment_id integer) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT logintel._log_lines_text(a) FROM logintel_internal.attachments a WHERE a.id = attachment_id);

COMMENT ON FUNCTION logintel._lines_query(integer) IS 'The query that reads the lines of an attached table.';

CREATE OR REPLACE FUNCTION logintel._reads_as(attachment_id integer) RETURNS regrole
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT p.proowner FROM pg_proc p
        WHERE p.pronamespace = 'logintel'::regnamespace AND p.proname = concat('_fetch_', attachment_id));

COMMENT ON FUNCTION logintel._reads_as(integer) IS 'The role that the function belongs to which reads a log table; null where there is none.';

CREATE OR REPLACE FUNCTION logintel._is_readable(attached logintel_internal.attachments) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT EXISTS (SELECT FROM pg_class c WHERE c.oid = ($1).log_table
                                                AND has_schema_privilege(f.role, c.relnamespace, 'USAGE'))
            AND NOT EXISTS (SELECT FROM pg_attribute a
                            WHERE a.attrelid = ($1).log_table AND NOT a.attisdropped
                              AND a.attname IN (SELECT v.value FROM jsonb_each_text(($1).columns) AS v)
                              AND NOT has_column_privilege(f.role, a.attrelid, a.attnum, 'SELECT'))
        FROM logintel._installer_reader(($1).log_table) AS f (role));

COMMENT ON FUNCTION logintel._is_readable(logintel_internal.attachments) IS 'Whether a log table is there, and the upkeep may read its mapped columns.';

-- Of several tables, the planner looks a line up in each by its key, or a time by its index, where what is read of each
-- has no condition and names its columns plainly. So what keeps a view or another type from being read stands in an arm
-- of its own, which is parsed with the rest and never run. A table that the upkeep may not read has no lines: it must
-- not keep anybody from those of the others.
CREATE OR REPLACE FUNCTION logintel._all_lines_text() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
    WITH attached AS (
        SELECT a, a.id, a.log_table FROM logintel_internal.attachments a
        WHERE logintel._is_only_attachment(a.id) OR logintel._is_readable(a)),
    nothing AS (
        SELECT format('SELECT %s', logintel._line_columns(NULL, false)) AS columns)
    SELECT CASE count(d.a)
        WHEN 0 THEN n.columns || ' WHERE false'
        WHEN 1 THEN min(logintel._log_lines_text(d.a))
        ELSE concat(string_agg(format('SELECT %s FROM %s t UNION ALL ', logintel._line_columns(d.a, true), d.log_table),
                               '' ORDER BY d.id),
                    n.columns, ' WHERE false AND ',
                    string_agg(format('EXISTS (SELECT %s FROM %s t TABLESAMPLE pg_catalog.system (0))',
                                      logintel._line_columns(d.a, false), d.log_table), ' AND ' ORDER BY d.id)) END
    FROM nothing n LEFT JOIN attached d ON true GROUP BY n.columns);

COMMENT ON FUNCTION logintel._all_lines_text() IS 'The text of _log_lines().';
