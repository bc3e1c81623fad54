-- The lines behind a row of ml_drift, newest first: those that are new, else those of the class, the bin or the service
-- whose share has grown most.
CREATE OR REPLACE FUNCTION logintel._drift_lines(name text, day date, measure text, service text)
RETURNS TABLE (attachment_id integer, log_entry_id bigint, "timestamp" timestamptz, class text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
#variable_conflict use_column
DECLARE
    measured logintel_internal.drift;
    grown text;
BEGIN
    SELECT d.* INTO measured
    FROM logintel_internal.drift d JOIN logintel_internal.models m ON m.id = d.model_id
    WHERE m.name = $1 AND d.day = $2 AND d.measure = $3 AND d.service IS NOT DISTINCT FROM $4
    ORDER BY m.version DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% of model "%"% was not judged on %', $3, $1, coalesce(' in service "' || $4 || '"', ''), $2
            USING ERRCODE = 'no_data_found', HINT = 'Choose name, day, measure and service of a row of logintel.ml_drift.';
    END IF;
    grown := (SELECT e ->> 'name' FROM jsonb_array_elements(measured.evidence) AS e
              ORDER BY (e ->> 'now')::numeric - (e ->> 'before')::numeric DESC NULLS LAST LIMIT 1);
    RETURN QUERY
        SELECT logintel._attachment_of(p.score_id), p.log_entry_id, p."timestamp", c.class
        FROM logintel._drift_answers(ARRAY(
            SELECT DISTINCT h.score_id FROM logintel_internal.hourly_counts h
            WHERE h.hour >= measured.day::timestamp AT TIME ZONE 'UTC' AND h.hour < (measured.day + 1)::timestamp AT TIME ZONE 'UTC')) c
        JOIN logintel_internal.predictions p ON p.score_id = c.score_id
        WHERE c.model_id = measured.model_id AND p."timestamp" >= measured.day::timestamp AT TIME ZONE 'UTC'
          AND p."timestamp" < (measured.day + 1)::timestamp AT TIME ZONE 'UTC'
          AND (measured.service IS NULL OR c.service = measured.service)
          AND CASE measured.measure
              WHEN 'new_templates' THEN c.new_template = 1
              WHEN 'unknown_words' THEN c.unknown_words > 0
              WHEN 'new_services' THEN c.known_service IS NULL
              WHEN 'classes' THEN c.class = grown
              WHEN 'confidence' THEN c.confidence = grown
              ELSE c.service = grown END
        ORDER BY p."timestamp" DESC, p.log_entry_id DESC;
END
$function$;

COMMENT ON FUNCTION logintel._drift_lines(text, date, text, text) IS 'Which lines are behind a row of ml_drift, newest first.';

-- What the lines say is read with the rights of who asks.
CREATE OR REPLACE FUNCTION logintel.drift_lines(name text, day date, measure text, service text DEFAULT NULL, max_lines integer DEFAULT 100)
RETURNS TABLE (log_entry_id bigint, "timestamp" timestamptz, line_service text, class text, message text, template text, log_table regclass)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    SELECT p.log_entry_id, l."timestamp", l.service, d.class, l.message, p.template, l.log_table
    FROM logintel._drift_lines($1, $2, $3, $4) d
    JOIN logintel_internal._predictions_now p ON p.attachment_id = d.attachment_id AND p.log_entry_id = d.log_entry_id
        AND p."timestamp" = d."timestamp"
    JOIN logintel._log_lines() l ON l.id = p.log_entry_id AND pg_catalog.int4eq(l.attachment_id, p.attachment_id)
        AND logintel._is_time_of(l."timestamp", p."timestamp", p.predicted_at)
    ORDER BY p."timestamp" DESC, p.log_entry_id DESC LIMIT $5;
$function$;

COMMENT ON FUNCTION logintel.drift_lines(text, date, text, text, integer) IS 'The lines behind a row of ml_drift, newest first: those that the training lines did not have or, where shares shifted, those of the class, the bin of confidence or the service that has grown most.';
