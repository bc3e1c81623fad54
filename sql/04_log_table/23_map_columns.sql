-- Which column holds which field: as the mapping of attach() says, else as the layout has it, else by its name, else as
-- keys of a document.
CREATE OR REPLACE FUNCTION logintel._check_mapping(log_table regclass, columns jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    unknown text;
    hint text := 'Write it as {"field": "column", ...}, such as {"message": "msg"}.';
BEGIN
    IF jsonb_typeof(columns) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'the column mapping of % is not a JSON object', log_table
            USING ERRCODE = 'invalid_parameter_value', HINT = hint;
    END IF;
    SELECT key INTO unknown FROM jsonb_object_keys(columns) AS key
    WHERE key NOT IN (SELECT f.name FROM logintel._line_fields() f) LIMIT 1;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'unknown field "%" in the column mapping of %', unknown, log_table
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = hint, DETAIL = format(
                      'The fields are %s.', (SELECT string_agg(f.name, ', ') FROM logintel._line_fields() f));
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_mapping(regclass, jsonb) IS 'Raises an error unless a column mapping is one.';

-- Each step gets what the ones before it left: first all that is given, then all that is found by name, so that no
-- guess takes a column from a field that it is certain for.
CREATE OR REPLACE FUNCTION logintel._map_columns(log_table regclass, columns jsonb, layout text)
RETURNS TABLE (field text, column_name name, paths jsonb, how text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    wanted record;
    known record;
    document name := logintel._document_column(log_table);
    taken name[] := '{}';
BEGIN
    PERFORM logintel._check_mapping(log_table, columns);
    SELECT l.* INTO known FROM logintel._layout_of(log_table, layout) l;
    FOR wanted IN
        SELECT f.name, f.required, s.step, s.names
        FROM logintel._line_fields() WITH ORDINALITY AS f (name, type, required, takes, n)
        CROSS JOIN LATERAL (VALUES
            (1, NULL), (2, ARRAY[known.columns ->> f.name]),
            -- A name of a level says more than its number, also where the number's column is called level.
            (3, CASE f.name WHEN 'level' THEN NULL ELSE ARRAY[logintel._plain_name(f.name)] END),
            (4, (SELECT k.names FROM logintel._known_columns() k WHERE k.field = f.name)), (5, NULL)) AS s (step, names)
        ORDER BY s.step, f.n
    LOOP
        CONTINUE WHEN wanted.step > 1 AND columns ? wanted.name;
        field := wanted.name;
        column_name := NULL;
        paths := NULL;
        CASE wanted.step
        WHEN 1 THEN
            CONTINUE WHEN NOT columns ? wanted.name;
            how := CASE columns -> field WHEN 'null' THEN 'left out' ELSE 'given' END;
            IF how = 'given' THEN
                SELECT g.* INTO column_name, paths FROM logintel._given_place(log_table, field, columns -> field) g;
            END IF;
        WHEN 2, 3, 4 THEN
            IF field = 'id' AND wanted.step = 3 THEN
                column_name := logintel._key_column(log_table);
            ELSIF wanted.names IS NOT NULL THEN
                SELECT c.* INTO column_name, paths
                FROM logintel._found_column(log_table, field, taken, wanted.names) c;
            END IF;
            how := CASE WHEN column_name = field THEN 'name' WHEN field = 'id' THEN 'key'
                        WHEN wanted.step = 2 THEN 'layout' ELSE 'guessed' END;
        ELSE
            how := 'guessed';
            SELECT k.paths INTO paths FROM logintel._known_keys() k WHERE k.field = wanted.name;
            column_name := CASE WHEN paths IS NOT NULL THEN document END;
        END CASE;
        CONTINUE WHEN column_name IS NULL AND how <> 'left out';
        columns := columns || jsonb_build_object(field, 'taken');
        IF column_name IS NOT NULL AND paths IS NULL THEN
            taken := array_append(taken, column_name);
        END IF;
        RETURN NEXT;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._map_columns(regclass, jsonb, text) IS 'Which column holds which field, and how that was found: given, by the layout, by its name, as the key, or guessed.';
