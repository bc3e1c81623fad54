-- One batch a call, in the caller's transaction; call it until it returns 0. Any number of sessions work side by side:
-- each takes lines that no other has in hand. A batch may be of several tables. None is always the first: one with
-- lines without end keeps none waiting, nor does one whose lines cannot be read.
CREATE OR REPLACE FUNCTION logintel._backfill_table(attachment_id integer, max_lines integer, since timestamptz)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    taken bigint[] := logintel._take_pending(attachment_id, max_lines, since);
BEGIN
    IF taken <> '{}' THEN
        PERFORM logintel._score_lines(attachment_id, taken);
    END IF;
    RETURN cardinality(taken);
END
$function$;

COMMENT ON FUNCTION logintel._backfill_table(integer, integer, timestamptz) IS 'Scores up to max_lines lines of a log table that wait for a prediction; returns how many it took.';

CREATE OR REPLACE FUNCTION logintel.backfill(
    since timestamptz DEFAULT NULL, max_lines integer DEFAULT 10000, log_table regclass DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_generic_plan AS
$function$
DECLARE
    attached logintel_internal.attachments;
    taken bigint := 0;
    failure text;
    state text;
    hint text;
BEGIN
    IF max_lines < 0 THEN
        RAISE EXCEPTION 'max_lines cannot be %', max_lines USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give a number of lines, such as backfill(max_lines => 10000), or null for all.';
    END IF;
    PERFORM logintel._require_model_set();
    IF log_table IS NOT NULL OR (SELECT count(*) < 2 FROM logintel_internal.attachments) THEN
        RETURN (SELECT logintel._backfill_table(a.id, max_lines, since) FROM logintel._attachment(log_table) a);
    END IF;
    FOREACH attached IN ARRAY ARRAY(SELECT a FROM logintel_internal.attachments a ORDER BY random()) LOOP
        EXIT WHEN taken >= max_lines;
        BEGIN
            taken := taken + logintel._backfill_table(attached.id, max_lines - taken::integer, since);
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, hint = PG_EXCEPTION_HINT;
            hint := coalesce(nullif(hint, ''), 'Run SELECT * FROM logintel.doctor(): it tells what is wrong.');
            failure := format('lines of %s wait: %s', attached.log_table, SQLERRM);
        END;
    END LOOP;
    IF failure IS NOT NULL AND taken = 0 THEN
        RAISE EXCEPTION '%', failure USING ERRCODE = state, HINT = hint;
    ELSIF failure IS NOT NULL THEN
        RAISE WARNING '%', failure USING HINT = hint;
    END IF;
    RETURN taken;
END
$function$;

COMMENT ON FUNCTION logintel.backfill(timestamptz, integer, regclass) IS 'Scores up to max_lines lines that wait for a prediction, oldest first, of one log table or of all; returns how many it took, 0 when none is left.';
