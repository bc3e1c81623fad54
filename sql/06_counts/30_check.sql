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
              FROM logintel.scores s JOIN logintel.score_totals t ON t.score_id = s.id
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
