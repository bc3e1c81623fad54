CREATE OR REPLACE FUNCTION logintel._check_061_lines() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    pending bigint := (SELECT s.pending FROM logintel.ml_status s);
BEGIN
    RETURN QUERY SELECT CASE WHEN pending > 0 THEN 'note' ELSE 'ok' END, format('%s lines are pending', pending),
                        CASE WHEN pending > 0 THEN 'let "logintel worker" run, or SELECT logintel.backfill() until it returns 0' END;
END
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
        SELECT sum(t.lines) AS lines, sum(t.lines) FILTER (WHERE s.template = '') AS empty
        FROM logintel_internal.score_totals t JOIN logintel_internal.scores s ON s.id = t.score_id),
    latest AS (
        SELECT p."timestamp" = p.predicted_at AS has_none
        FROM logintel_internal.predictions p ORDER BY p.predicted_at DESC LIMIT 200)
    SELECT 'problem', format('%s of %s lines have no message in %s', m.empty, m.lines,
                             logintel._place_text(a.columns ->> 'message', a.paths -> 'message')),
           'SELECT logintel.detach(), and attach the table with the column or place that holds it'
    FROM messages m CROSS JOIN logintel_internal.attachments a WHERE m.empty > m.lines / 2
    UNION ALL
    SELECT 'problem', format('no time was read in %s: the latest lines count when they were scored',
                             logintel._place_text(a.columns ->> 'timestamp', a.paths -> 'timestamp')),
           'SELECT logintel.detach(), and attach the table with a column of times, of ISO 8601 or of numbers since 1970'
    FROM logintel_internal.attachments a
    JOIN logintel._table_columns(a.log_table) c ON c.name = a.columns ->> 'timestamp' AND c.kind <> 'time'
    WHERE (SELECT bool_and(l.has_none) FROM latest l);
$function$;

COMMENT ON FUNCTION logintel._check_063_fields() IS 'Check of doctor(): whether messages and times are found where the attachment looks for them.';
