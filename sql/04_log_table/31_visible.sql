-- Row-level security of a log table holds for what logintel says of its lines too. Statistics count all lines.
--
-- Views ask for it with the rights of their reader, and so do these: none pins a search_path, because policies that
-- call functions may rely on the reader's.
CREATE OR REPLACE FUNCTION logintel._hides_lines() RETURNS boolean
LANGUAGE sql STABLE
RETURN (SELECT coalesce(bool_or(row_security_active(a.log_table)), false) FROM logintel_internal.attachments a);

COMMENT ON FUNCTION logintel._hides_lines() IS 'Whether row-level security of the log table applies to who asks.';

CREATE OR REPLACE FUNCTION logintel._is_visible(
    attachment_id integer, line_id bigint, prediction_time timestamptz, predicted_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql STABLE AS
$function$
BEGIN
    RETURN EXISTS (SELECT FROM logintel._log_lines() l
                   WHERE l.attachment_id OPERATOR(pg_catalog.=) _is_visible.attachment_id
                     AND l.id OPERATOR(pg_catalog.=) line_id
                     AND logintel._is_time_of(l."timestamp", prediction_time, predicted_at));
END
$function$;

COMMENT ON FUNCTION logintel._is_visible(integer, bigint, timestamptz, timestamptz) IS 'Whether who asks may read the line of a prediction in the log table; nulls for lines of any time.';

-- A condition of a reader's own may call a function that tells what it is shown. Views that leave lines out are
-- barriers against that while the log table has row-level security. Without it they are none: a barrier is in the way
-- of joins.
CREATE OR REPLACE FUNCTION logintel._set_barriers() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS
$function$
DECLARE
    wanted boolean := (SELECT coalesce(bool_or(c.relrowsecurity), false)
                       FROM logintel_internal.attachments a JOIN pg_class c ON c.oid = a.log_table);
    view regclass;
    changed bigint := 0;
BEGIN
    FOR view IN
        SELECT DISTINCT v.oid FROM pg_depend d
        JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        JOIN pg_class v ON v.oid = r.ev_class
        WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = 'logintel._hides_lines()'::regprocedure
          AND format('security_barrier=%s', wanted) <> ALL (coalesce(v.reloptions, '{security_barrier=f}'))
    LOOP
        EXECUTE format('ALTER VIEW %s SET (security_barrier = %s)', view, wanted);
        changed := changed + 1;
    END LOOP;
    RETURN changed;
EXCEPTION WHEN lock_not_available THEN  -- somebody reads: the next upkeep tries again
    RETURN 0;
END
$function$;

COMMENT ON FUNCTION logintel._set_barriers() IS 'Makes the views that leave lines out barriers against functions of their readers, where the log table has row-level security; returns how many it changed.';
