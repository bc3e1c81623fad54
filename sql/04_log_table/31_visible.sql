-- Row-level security of the log table holds for what logintel says of its lines too. Statistics count all lines.
--
-- Views ask for it with the rights of their reader, and so do these: none pins a search_path, because policies that
-- call functions may rely on the reader's.
CREATE OR REPLACE FUNCTION logintel._hides_lines() RETURNS boolean
LANGUAGE sql STABLE
RETURN (SELECT coalesce(bool_or(row_security_active(a.log_table)), false) FROM logintel.attachments a);

COMMENT ON FUNCTION logintel._hides_lines() IS 'Whether row-level security of the log table applies to who asks.';

CREATE OR REPLACE FUNCTION logintel._is_visible(
    line_id bigint, prediction_time timestamptz, predicted_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql STABLE AS
$function$
BEGIN
    RETURN EXISTS (SELECT FROM logintel._log_lines() l
                   WHERE l.id OPERATOR(pg_catalog.=) line_id AND logintel._is_time_of(l."timestamp", prediction_time,
                       predicted_at));
END
$function$;

COMMENT ON FUNCTION logintel._is_visible(bigint, timestamptz, timestamptz) IS 'Whether who asks may read the line of a prediction in the log table; nulls for lines of any time.';
