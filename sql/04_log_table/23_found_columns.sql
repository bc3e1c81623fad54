-- A column of a document is read whole only for a field that was mapped to it: found by its name, it is searched for
-- known keys first.
CREATE OR REPLACE FUNCTION logintel._found_column(log_table regclass, field text, taken name[], names text[])
RETURNS TABLE (column_name name, paths jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.name, CASE WHEN c.kind = 'document' AND f.type = 'text' THEN coalesce(k.paths, '[]') || '[[]]' END
    FROM logintel._table_columns(log_table) c
    JOIN logintel._line_fields() f ON f.name = $2
    LEFT JOIN logintel._known_keys() k ON k.field = f.name
    WHERE c.plain_name = ANY (names) AND c.name <> ALL (taken)
      AND (c.type = ANY (f.takes)
           OR f.takes IS NULL AND (c.kind = 'text' OR c.name = f.name OR f.name = 'level' AND c.kind = 'number'
                                   OR f.name = 'message' AND c.kind = 'document'))
    -- An own name is no guess; names of levels say more than numbers, times more than their texts.
    ORDER BY c.kind = 'document', f.name = 'level' AND c.kind = 'number', f.name = 'timestamp' AND c.kind <> 'time',
             f.name = 'timestamp' AND c.type = 'date'::regtype,
             c.name <> f.name, array_position(names, c.plain_name), c.number
    LIMIT 1;
END;

COMMENT ON FUNCTION logintel._found_column(regclass, text, name[], text[]) IS 'The column of a field that a table has under one of these plain names, none that is taken; no row where there is none.';

-- The document of a log table that has its messages in there, or one beside them.
CREATE OR REPLACE FUNCTION logintel._document_column(log_table regclass) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT c.name FROM logintel._table_columns(log_table) c WHERE c.kind = 'document'
        ORDER BY array_position('{data,log,record,payload,document,doc,event,message,body,entry,content,json,logentry,'
                                'attributes,logattributes,metadata,meta,properties,context,fields,extra}'::text[],
                                c.plain_name),
                 c.number LIMIT 1);

COMMENT ON FUNCTION logintel._document_column(regclass) IS 'The column of type json or jsonb that most likely holds fields of lines; null where there is none.';

-- A key is found by what makes it one, whatever it is called.
CREATE OR REPLACE FUNCTION logintel._key_column(log_table regclass) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT c.name FROM logintel._table_columns(log_table) c
        LEFT JOIN pg_index i ON i.indrelid = log_table AND i.indisunique AND i.indpred IS NULL
                                AND i.indnkeyatts = 1 AND i.indkey[0] = c.number
        WHERE c.type = ANY ('{int2,int4,int8}'::regtype[])
          AND (c.name IN ('id', 'logintel_id') OR i.indrelid IS NOT NULL OR c.counts)
        ORDER BY c.name = 'id' DESC, coalesce(i.indisprimary, false) DESC, c.counts DESC, c.number LIMIT 1);

COMMENT ON FUNCTION logintel._key_column(regclass) IS 'The column that is the key of a log table: id, else an integer that is unique or numbered by a sequence; null where there is none.';

CREATE OR REPLACE FUNCTION logintel._layout_of(log_table regclass, layout text)
RETURNS TABLE (name text, columns jsonb, level_scale text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    plain_names text[] := ARRAY(SELECT c.plain_name FROM logintel._table_columns(log_table) c);
BEGIN
    RETURN QUERY SELECT l.name, l.columns, l.level_scale FROM logintel._layouts() l
                 WHERE l.name = coalesce(nullif(layout, 'auto'), l.name) AND l.needs <@ plain_names
                 ORDER BY cardinality(l.needs) DESC LIMIT 1;
    IF NOT FOUND AND layout <> 'auto' THEN
        RAISE EXCEPTION '% does not have the layout "%"', log_table, layout
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = (SELECT format('Leave it out, or name one of %s.', string_agg(DISTINCT l.name, ', '))
                          FROM logintel._layouts() l);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._layout_of(regclass, text) IS 'The layout of this name, or with auto the one that a table has; no row where it has none that is known.';
