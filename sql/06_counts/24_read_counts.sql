-- Moves a reader on; the position and what the reader makes of the rows commit together. Roll-ups write under a lock, so
-- no smaller id can appear later.
CREATE OR REPLACE FUNCTION logintel._read_counts(reader text, most bigint DEFAULT NULL, OUT after_id bigint, OUT up_to_id bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    SELECT r.read_to INTO STRICT after_id FROM logintel_internal.count_readers r WHERE r.reader = $1 FOR UPDATE;
    up_to_id := coalesce((SELECT max(c.id) FROM (SELECT c.id FROM logintel_internal.count_changes c
        WHERE c.id > after_id
                                                 ORDER BY c.id LIMIT most) AS c), after_id);
    UPDATE logintel_internal.count_readers r SET read_to = up_to_id WHERE r.reader = $1 AND up_to_id > after_id;
END
$function$;

COMMENT ON FUNCTION logintel._read_counts(text, bigint) IS 'Moves a reader of count_changes on, by "most" rows where given; it has to read those with after_id < id <= up_to_id.';
