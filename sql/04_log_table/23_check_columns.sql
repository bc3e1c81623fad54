-- Completes and checks a column mapping. Only what the table lets every row be read as gets through.
CREATE OR REPLACE FUNCTION logintel._check_columns(log_table regclass, columns jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    complete jsonb := '{}';
    field record;
    col record;
BEGIN
    IF jsonb_typeof(columns) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'the column mapping of % is not a JSON object', log_table
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Write it as {"field": "column", ...}, such as {"message": "msg"}.';
    END IF;
    FOR field IN SELECT key AS name FROM jsonb_object_keys(columns) AS key
                 WHERE key NOT IN (SELECT f.name FROM logintel._line_fields() f) LOOP
        RAISE EXCEPTION 'unknown field "%" in the column mapping of %', field.name, log_table
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = (SELECT format('The fields are %s.', string_agg(f.name, ', ')) FROM logintel._line_fields() f),
                  HINT = 'Write the mapping as {"field": "column", ...}, such as {"message": "msg"}.';
    END LOOP;
    FOR field IN SELECT * FROM logintel._line_fields() LOOP
        SELECT a.attname, a.atttypid::regtype AS type, logintel._base_type(a.atttypid) AS base INTO col
        FROM pg_attribute a
        WHERE a.attrelid = log_table AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attname = coalesce(columns ->> field.name, field.name);
        IF NOT FOUND THEN
            IF columns ? field.name OR field.required THEN
                RAISE EXCEPTION 'table % has no column "%" for the field "%"',
                    log_table, coalesce(columns ->> field.name, field.name), field.name
                    USING ERRCODE = 'undefined_column',
                          HINT = format('Map it: SELECT logintel.attach(%L, ''{"%s": "your_column"}'').', log_table, field.name);
            END IF;
        ELSIF col.base <> ALL (field.takes) THEN
            IF columns ? field.name OR field.required THEN
                RAISE EXCEPTION 'column "%" of % is of type %, the field "%" needs %', col.attname, log_table, col.type, field.name,
                    CASE field.name WHEN 'id' THEN 'an integer key' ELSE field.type END
                    USING ERRCODE = 'datatype_mismatch', HINT = 'Map another column, or leave the field out.';
            END IF;
        ELSE
            complete := complete || jsonb_build_object(field.name, col.attname);
        END IF;
    END LOOP;
    RETURN complete;
END
$function$;

COMMENT ON FUNCTION logintel._check_columns(regclass, jsonb) IS 'Column mapping with same-named columns added; an error names what does not fit.';
