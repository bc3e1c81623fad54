-- The table that is meant: where one is attached it need not be named.
CREATE OR REPLACE FUNCTION logintel._attachment(log_table regclass) RETURNS logintel_internal.attachments
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    attached logintel_internal.attachments[] := ARRAY(
        SELECT a FROM logintel_internal.attachments a WHERE a.log_table = coalesce(_attachment.log_table, a.log_table)
        ORDER BY a.id);
BEGIN
    IF attached = '{}' AND log_table IS NULL THEN
        RAISE EXCEPTION 'no log table is attached' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Run SELECT logintel.attach(...) or SELECT logintel.create_log_entries().';
    ELSIF attached = '{}' THEN
        RAISE EXCEPTION 'table % is not attached', log_table USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'SELECT log_table FROM logintel.ml_status shows which are.';
    ELSIF cardinality(attached) > 1 THEN
        RAISE EXCEPTION 'several log tables are attached: %', (
            SELECT string_agg(a.log_table::text, ', ') FROM unnest(attached) AS a)
            USING ERRCODE = 'ambiguous_parameter',
                  HINT = format('Say which one: log_table => %L.', (attached[1]).log_table);
    END IF;
    RETURN attached[1];
END
$function$;

COMMENT ON FUNCTION logintel._attachment(regclass) IS 'The attachment of a log table; null names the only one.';

CREATE OR REPLACE FUNCTION logintel._is_only_attachment(attachment_id integer) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN NOT EXISTS (SELECT FROM logintel_internal.attachments a WHERE a.id <> attachment_id);

COMMENT ON FUNCTION logintel._is_only_attachment(integer) IS 'Whether no other log table is attached.';
