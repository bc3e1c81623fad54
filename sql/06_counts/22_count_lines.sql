-- What keeps one of several tables from being read keeps nobody from the figures of the others.
--
-- A function of its own, so that the planner does not add the cost of a count that is hardly ever made to each reading of
-- ml_status, and compile it.
CREATE OR REPLACE FUNCTION logintel._count_lines(attachment_id integer) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RETURN logintel._fetched_count(attachment_id);
EXCEPTION WHEN OTHERS THEN
    IF logintel._is_only_attachment(attachment_id) THEN
        RAISE;
    END IF;
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._count_lines(integer) IS 'Number of lines in the log table, counted.';

-- A line that was deleted while somebody else had it in hand stays in the queue until it is taken again.
CREATE OR REPLACE FUNCTION logintel._waiting_lines(attachment_id integer) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RETURN (SELECT count(*) FROM (
                SELECT DISTINCT q.log_entry_id, q."timestamp" FROM logintel_internal.pending q
                WHERE q.attachment_id = $1 AND q.log_entry_id <> ALL (ARRAY(
                    SELECT c.log_entry_id FROM logintel_internal.pending c
                        WHERE c.changed AND c.attachment_id = $1))) AS w)
         + (SELECT count(*) FROM logintel._fetched_lines($1, ARRAY(
                SELECT DISTINCT q.log_entry_id FROM logintel_internal.pending q
                    WHERE q.changed AND q.attachment_id = $1)));
EXCEPTION WHEN OTHERS THEN
    IF logintel._is_only_attachment($1) THEN
        RAISE;
    END IF;
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._waiting_lines(integer) IS 'Number of lines that wait for a prediction.';
