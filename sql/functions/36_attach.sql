-- The views read the log table with the extension owner's rights, so only who owns the table may attach it.
CREATE FUNCTION logintel.attach(log_table regclass, columns jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    class pg_class;
    attached regclass := (SELECT a.log_table FROM logintel.attachments a);
BEGIN
    SELECT c.* INTO class FROM pg_class c WHERE c.oid = attach.log_table;
    IF class.relkind NOT IN ('r', 'p') OR class.relpersistence = 't' OR class.relispartition THEN
        RAISE EXCEPTION '% cannot be attached', log_table
            USING ERRCODE = 'wrong_object_type', DETAIL = 'It is not a permanent table, or it is a partition of one.',
                  HINT = 'Attach the table itself.';
    ELSIF NOT pg_has_role(session_user, class.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', log_table USING ERRCODE = 'insufficient_privilege';
    ELSIF attached IS NOT NULL THEN
        RAISE EXCEPTION 'table % is attached already', attached
            USING ERRCODE = 'object_in_use', HINT = 'Run SELECT logintel.detach() first; predictions are kept per table.';
    END IF;
    INSERT INTO logintel.attachments (log_table, columns)
    VALUES (attach.log_table, logintel._check_columns(attach.log_table, attach.columns));
    PERFORM logintel._create_triggers(attach.log_table);
END
$function$;

COMMENT ON FUNCTION logintel.attach(regclass, jsonb) IS 'Attaches a log table: its lines are scored from here on. The mapping {"field": "column"} names the columns that are called otherwise.';
