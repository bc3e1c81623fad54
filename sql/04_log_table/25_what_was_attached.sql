-- No scale is taken for granted without saying so.
CREATE OR REPLACE FUNCTION logintel._warn_of_numbers(attached logintel_internal.attachments) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF attached.level_scale = '{}' AND EXISTS (
        SELECT FROM logintel._table_columns(attached.log_table) c
        WHERE c.name = attached.columns ->> 'level' AND c.kind = 'number') THEN
        RAISE WARNING 'numbers in the column "%" of % are read as levels of syslog (0 to 7) and pino (10 to 60)',
            attached.columns ->> 'level', attached.log_table
            USING HINT = format('If they are others: SELECT logintel.detach(%1$L), and attach(%1$L, ..., '
                                'level_scale => ''python''), or dotnet, otel, log4j, monolog, windows, ruby, '
                                'logrus, zap, slog, or your own, as {"0": "DEBUG", ...}.',
                                attached.log_table);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._warn_of_numbers(logintel_internal.attachments) IS 'Warns where levels are numbers and nobody said of which scale.';

CREATE OR REPLACE FUNCTION logintel._place_text(column_name text, paths jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce(
    (SELECT string_agg(CASE p.n WHEN 4 THEN '...' ELSE concat(quote_ident(column_name), (
         SELECT string_agg(format('->%s%L', CASE k.n WHEN jsonb_array_length(p.path) THEN '>' END, k.key), ''
                           ORDER BY k.n)
         FROM jsonb_array_elements_text(p.path) WITH ORDINALITY AS k (key, n))) END, ', ' ORDER BY p.n)
     FROM jsonb_array_elements(paths) WITH ORDINALITY AS p (path, n) WHERE p.n <= 4), quote_ident(column_name));

COMMENT ON FUNCTION logintel._place_text(text, jsonb) IS 'How a column, and the first of the places in it, are written.';

CREATE OR REPLACE FUNCTION logintel._note_on(attached logintel_internal.attachments, field text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT CASE
        WHEN c.name IS NULL THEN NULL
        WHEN field = 'id' AND NOT logintel._is_kept_unique(($1).log_table, c.name)
            THEN 'nothing keeps it unique, and lines of one key are mixed up: add a unique index, or use add_key'
        WHEN field = 'id' AND c.name = 'logintel_id'
            THEN 'numbers new lines, "logintel backfill" older ones; COPY needs a list of columns now'
        WHEN field = 'timestamp' AND c.type = 'date'::regtype
            THEN format('a day: its lines count at its beginning in %s', ($1).time_zone)
        WHEN field = 'timestamp' AND c.type = 'timestamp'::regtype THEN format('read as times in %s', ($1).time_zone)
        WHEN field = 'timestamp' AND c.kind = 'number' THEN 'read as seconds, milli-, micro- or nanoseconds since 1970'
        WHEN field = 'timestamp' AND c.type <> 'timestamptz'::regtype
            THEN format('read as ISO 8601, in %s where no zone is written, or as a number since 1970', ($1).time_zone)
        WHEN field = 'level' AND ($1).level_scale <> '{}'
            THEN (SELECT string_agg(format('%s is %s', l.key, l.value), ', ' ORDER BY length(l.key), l.key)
                  FROM jsonb_each_text(($1).level_scale) AS l)
        WHEN field = 'level' AND c.kind IN ('number', 'document')
            THEN 'numbers are read as those of syslog (0 to 7) and pino (10 to 60)' END
    FROM logintel._table_columns(($1).log_table) c WHERE c.name = ($1).columns ->> field);

COMMENT ON FUNCTION logintel._note_on(logintel_internal.attachments, text) IS 'What has to be known about how a field is read; null for nothing.';

CREATE OR REPLACE FUNCTION logintel._what_was_attached(attached logintel_internal.attachments, how_found jsonb)
RETURNS TABLE (field text, source text, how text, example text, note text)
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS
$function$
    SELECT f.name, logintel._place_text(($1).columns ->> f.name, ($1).paths -> f.name),
           coalesce(how_found ->> f.name, 'missing'), l.examples ->> f.name,
           nullif(concat_ws('; ', logintel._note_on($1, f.name),
               CASE WHEN f.name = 'level' THEN 'no levels: ' || l.unknown_levels END,
               CASE WHEN f.name = 'level' AND l.examples ->> 'level' ~ '^-?[0-9.]+$' AND ($1).level_scale = '{}'
                         AND logintel._note_on($1, 'level') IS NULL
                    THEN 'numbers are read as those of syslog (0 to 7) and pino (10 to 60)' END,
               CASE WHEN ($1).columns ? f.name THEN NULL
                    WHEN f.name = 'timestamp' THEN 'lines count when they are scored'
                    WHEN f.name = 'level' THEN 'without a declared level there is nothing to correct' END,
               CASE WHEN l.lines > 0 AND ($1).columns ? f.name AND NOT l.examples ? f.name
                         AND how_found ->> f.name <> 'added'
                    THEN format('nothing was found there in %s lines', l.lines) END), '')
    FROM logintel._line_fields() WITH ORDINALITY AS f (name, type, required, takes, n)
    CROSS JOIN (SELECT e.lines, coalesce(e.examples, '{}') AS examples, e.unknown_levels
                FROM logintel._fetched_first_look(($1).id) e) AS l
    ORDER BY f.n;
$function$;

COMMENT ON FUNCTION logintel._what_was_attached(logintel_internal.attachments, jsonb) IS 'What attach() returns: a row for each field.';
