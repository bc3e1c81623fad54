CREATE OR REPLACE FUNCTION logintel._check_061_lines() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
    SELECT CASE WHEN s.pending > 0 THEN 'note' ELSE 'ok' END,
           format('%s lines%s are pending', s.pending, ' of ' || s.log_table),
           CASE WHEN s.pending > 0
                THEN 'let "logintel worker" run, or SELECT logintel.backfill() until it returns 0' END
    FROM logintel.ml_status s WHERE s.pending IS NOT NULL;
$function$;

COMMENT ON FUNCTION logintel._check_061_lines() IS 'Check of doctor(): pending lines.';

-- Levels are few, however many shapes have them: they are told apart before their names are looked up.
CREATE OR REPLACE FUNCTION logintel._check_062_levels() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
    WITH unknown AS (
        SELECT l.level, l.lines
        FROM (SELECT s.level, sum(t.lines) AS lines
              FROM logintel_internal.scores s JOIN logintel_internal.score_totals t ON t.score_id = s.id
              WHERE s.level <> '' GROUP BY s.level) AS l
        LEFT JOIN logintel.level_names n ON n.name = logintel._level_name(l.level)
        WHERE n.name IS NULL AND l.lines > 0),
    most AS (
        SELECT string_agg(format('"%s" (%s)', left(u.level, 40), u.lines), ', ' ORDER BY u.lines DESC) AS spellings
        FROM (SELECT * FROM unknown ORDER BY lines DESC, level LIMIT 5) AS u)
    SELECT CASE WHEN m.spellings IS NULL THEN 'ok' ELSE 'note' END,
           CASE WHEN m.spellings IS NULL THEN 'all spellings of levels are known'
                ELSE format('%s lines have levels with unknown spellings: %s', (SELECT sum(u.lines) FROM unknown u),
                            m.spellings) END,
           CASE WHEN m.spellings IS NOT NULL
                THEN 'INSERT INTO logintel.level_names (name, level) VALUES (..., ...) for each' END
    FROM most m;
$function$;

COMMENT ON FUNCTION logintel._check_062_levels() IS 'Check of doctor(): levels whose spellings nobody knows, so that their lines are no corrections.';

-- What attach() cannot see of an empty table.
CREATE OR REPLACE FUNCTION logintel._check_063_fields() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
    WITH messages AS (
        SELECT logintel._attachment_of(t.score_id) AS attachment_id, sum(t.lines) AS lines,
               sum(t.lines) FILTER (WHERE s.template = '') AS empty
        FROM logintel_internal.score_totals t JOIN logintel_internal.scores s ON s.id = t.score_id GROUP BY 1),
    latest AS (
        SELECT logintel._attachment_of(p.score_id) AS attachment_id, p."timestamp" = p.predicted_at AS has_none
        FROM (SELECT p.* FROM logintel_internal.predictions p ORDER BY p."timestamp" DESC LIMIT 200) AS p)
    SELECT 'problem', format('%s of %s lines of %s have no message in %s', m.empty, m.lines, a.log_table,
                             logintel._place_text(a.columns ->> 'message', a.paths -> 'message')),
           format('SELECT logintel.detach(%L), and attach the table with the column or place that holds it', a.log_table)
    FROM messages m JOIN logintel_internal.attachments a ON a.id = m.attachment_id WHERE m.empty > m.lines / 2
    UNION ALL
    SELECT 'problem', format('no time was read in %s of %s: the latest lines count when they were scored',
                             logintel._place_text(a.columns ->> 'timestamp', a.paths -> 'timestamp'), a.log_table),
           format('SELECT logintel.detach(%L), and attach the table with a column of times, of ISO 8601 or of numbers '
                  'since 1970', a.log_table)
    FROM logintel_internal.attachments a
    JOIN logintel._table_columns(a.log_table) c ON c.name = a.columns ->> 'timestamp' AND c.kind <> 'time'
    WHERE (SELECT bool_and(l.has_none) FROM latest l WHERE l.attachment_id = a.id);
$function$;

COMMENT ON FUNCTION logintel._check_063_fields() IS 'Check of doctor(): whether messages and times are found where the attachment looks for them.';
