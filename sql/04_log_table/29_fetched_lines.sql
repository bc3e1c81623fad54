-- The lines of an attached table, for the upkeep: none where the attachment has ended. What asks for somebody reads
-- _log_lines().
--
-- Planning a query on a table runs what its owner wrote into its indexes, with his rights, or those of the fetcher. It
-- could leave something that others run later with theirs: a trigger that is deferred or a cursor that is held until
-- the commit, a setting, a right. So what was read is kept, and all else that happened meanwhile is rolled back. A
-- statement that was prepared is not, and is removed by hand. Nor is how far a cursor has come: who reads several
-- tables has none open. And what such code raises must not pass for a cancel, which would end everything.
CREATE OR REPLACE FUNCTION logintel._prepared_statements() RETURNS text[]
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN ARRAY(SELECT ROW(s.name, s.statement, s.prepare_time, s.from_sql)::text FROM pg_prepared_statements s);

COMMENT ON FUNCTION logintel._prepared_statements() IS 'The prepared statements of the session, for _deallocate_all_but().';

CREATE OR REPLACE FUNCTION logintel._deallocate_all_but(known text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT s.name FROM pg_prepared_statements s
                WHERE ROW(s.name, s.statement, s.prepare_time, s.from_sql)::text <> ALL (known) LOOP
        EXECUTE format('DEALLOCATE %I', name);
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._deallocate_all_but(text[]) IS 'Removes prepared statements that were not there when _prepared_statements() was asked.';

CREATE OR REPLACE FUNCTION logintel._roll_back() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RAISE EXCEPTION 'rolled back on purpose' USING ERRCODE = 'LI001';
END
$function$;

COMMENT ON FUNCTION logintel._roll_back() IS 'Raises what is caught where something was done to be looked at, and is undone.';

CREATE OR REPLACE FUNCTION logintel._fetched(
    attachment_id integer, query text, columns text, ids bigint[] DEFAULT NULL, from_time timestamptz DEFAULT NULL,
    to_time timestamptz DEFAULT NULL
) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    lines text := logintel._lines_query(attachment_id);
    known text[] := logintel._prepared_statements();
    is_read boolean := false;
    raised_at text;
    hint text;
BEGIN
    IF lines IS NULL THEN
        RETURN;
    ELSIF EXISTS (SELECT FROM logintel_internal.attachments a
                  WHERE a.id = attachment_id
                    AND logintel._reads_as(a.id) IS DISTINCT FROM logintel._installer_reader(a.log_table)) THEN
        RAISE EXCEPTION 'the table would be read with the rights of another role than its owner'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Its owner, or a superuser: SELECT logintel.adopt_partitions().';
    END IF;
    BEGIN
        RETURN QUERY EXECUTE format('SELECT * FROM logintel._fetch_%s($1, $2, $3, $4) AS l (%s)', attachment_id,
                                    columns)
            USING replace(query, '{lines}', format('(%s)', lines)), ids, from_time, to_time;
        is_read := true;
        PERFORM logintel._roll_back();
    EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
        GET STACKED DIAGNOSTICS raised_at = PG_EXCEPTION_CONTEXT, hint = PG_EXCEPTION_HINT;
        PERFORM logintel._deallocate_all_but(known);
        IF is_read AND SQLSTATE = 'LI001' THEN
            RETURN;
        ELSIF SQLSTATE = 'P0004' OR SQLSTATE = '57014' AND split_part(raised_at, E'\n', 1) LIKE '% RAISE' THEN
            RAISE EXCEPTION '%', SQLERRM USING HINT = hint;
        END IF;
        RAISE;
    END;
END
$function$;

COMMENT ON FUNCTION logintel._fetched(integer, text, text, bigint[], timestamptz, timestamptz) IS 'What a query reads from the {lines} of an attached table, as columns: with $1 for keys, $2 and $3 for times.';

CREATE OR REPLACE FUNCTION logintel._fetched_lines(attachment_id integer, ids bigint[]) RETURNS TABLE (
    id bigint, "timestamp" timestamptz, level text, message text, service text, source_type text, http_status integer,
    response_time_ms double precision
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT l.*
    FROM logintel._fetched($1, 'SELECT l.id, l."timestamp", l.level, l.message, l.service, l.source_type, '
                               'l.http_status, l.response_time_ms FROM {lines} l WHERE l.id = ANY ($1)',
                           'id bigint, "timestamp" timestamptz, level text, message text, service text, '
                           'source_type text, http_status integer, response_time_ms double precision', ids => $2)
        AS l (id bigint, "timestamp" timestamptz, level text, message text, service text, source_type text,
              http_status integer, response_time_ms double precision)
    WHERE $2 <> '{}';
END;

COMMENT ON FUNCTION logintel._fetched_lines(integer, bigint[]) IS 'The lines with these keys that are still there.';

CREATE OR REPLACE FUNCTION logintel._fetched_keys(attachment_id integer)
RETURNS TABLE (id bigint, "timestamp" timestamptz)
LANGUAGE sql STABLE ROWS 1000000 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT l.* FROM logintel._fetched($1, 'SELECT l.id, l."timestamp" FROM {lines} l',
                                      'id bigint, "timestamp" timestamptz') AS l (id bigint, "timestamp" timestamptz);
END;

COMMENT ON FUNCTION logintel._fetched_keys(integer) IS 'The keys and times of all lines.';

CREATE OR REPLACE FUNCTION logintel._fetched_count(attachment_id integer, most bigint DEFAULT NULL) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT l.lines FROM logintel._fetched($1, format(
    'SELECT count(*) FROM (SELECT FROM {lines} l LIMIT %s) AS l', coalesce($2::text, 'ALL')), 'lines bigint')
    AS l (lines bigint)), 0);

COMMENT ON FUNCTION logintel._fetched_count(integer, bigint) IS 'How many lines there are, counted up to most, null for all.';

CREATE OR REPLACE FUNCTION logintel._fetched_any(
    attachment_id integer, from_time timestamptz, to_time timestamptz
) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT l.is_there FROM logintel._fetched(
    $1, 'SELECT EXISTS (SELECT FROM {lines} l WHERE l."timestamp" >= $2 AND l."timestamp" < $3)', 'is_there boolean',
    from_time => $2, to_time => $3) AS l (is_there boolean)), false);

COMMENT ON FUNCTION logintel._fetched_any(integer, timestamptz, timestamptz) IS 'Whether there are lines of a time.';

CREATE OR REPLACE FUNCTION logintel._fetched_timeless(attachment_id integer) RETURNS TABLE (id bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT l.id FROM logintel._fetched(
        $1, 'SELECT l.id FROM {lines} l WHERE l."timestamp" IS NULL OR l."timestamp" < ''0001-01-01 00:00Z'' '
            'OR l."timestamp" >= ''10000-01-01 00:00Z''', 'id bigint') AS l (id bigint);
END;

COMMENT ON FUNCTION logintel._fetched_timeless(integer) IS 'The lines that have no time in the years 1 to 9999.';

-- What attach() shows of a log table: of its first lines, an example of each field and what is no level.
CREATE OR REPLACE FUNCTION logintel._fetched_first_look(attachment_id integer) RETURNS TABLE (
    lines bigint, examples jsonb, unknown_levels text
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT l.* FROM logintel._fetched($1, $query$
        WITH lines AS MATERIALIZED (SELECT * FROM {lines} l LIMIT 1000),
        spellings AS (
            SELECT l.level, count(*) AS number FROM lines l
            WHERE l.level IS NOT NULL AND logintel.normalize_level(l.level) IS NULL
            GROUP BY l.level ORDER BY count(*) DESC, l.level LIMIT 3)
        SELECT (SELECT count(*) FROM lines),
               (SELECT jsonb_object_agg(e.key, e.value)
                FROM (SELECT DISTINCT ON (e.key) e.key, left(e.value, 60) AS value
                      FROM (SELECT row_number() OVER () AS n, l.* FROM lines l) AS l
                      CROSS JOIN LATERAL jsonb_each_text(to_jsonb(l)) AS e
                      WHERE e.value IS NOT NULL ORDER BY e.key, l.n) AS e),
               (SELECT string_agg(format('%L (%s)', left(s.level, 20), s.number), ', ') FROM spellings s)
        $query$, 'lines bigint, examples jsonb, unknown_levels text')
        AS l (lines bigint, examples jsonb, unknown_levels text);
END;

COMMENT ON FUNCTION logintel._fetched_first_look(integer) IS 'How many of the first thousand lines there are, an example of each field in them, and spellings that are no levels.';

CREATE OR REPLACE FUNCTION logintel._fetched_double_key(attachment_id integer) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT l.id FROM logintel._fetched(
    $1, 'SELECT l.id FROM {lines} l WHERE l.id IS NOT NULL GROUP BY l.id HAVING count(*) > 1 LIMIT 1', 'id bigint')
    AS l (id bigint));

COMMENT ON FUNCTION logintel._fetched_double_key(integer) IS 'A key that several lines have; null where there is none.';
