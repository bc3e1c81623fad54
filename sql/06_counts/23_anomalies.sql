-- The rows of ml_anomalies, newest first: hour after hour, and every line by its key. A function, because a view
-- cannot say so; compiling the query, or hashing the log table, would take seconds. A view that has it in its SELECT
-- list stops it at its LIMIT, and it the hours in the same way. Lines are read with the rights of who asks; when
-- there are any is a statistic.
CREATE OR REPLACE FUNCTION logintel._hours_of_anomalies() RETURNS TABLE (from_time timestamptz, to_time timestamptz,
    score_ids bigint[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $function$
    SELECT h.* FROM logintel._hours_of_scores(logintel._anomalous_scores(), NULL, NULL) AS h;
$function$;

COMMENT ON FUNCTION logintel._hours_of_anomalies() IS 'When there are lines that are anomalies, newest first, with their scores.';

CREATE OR REPLACE FUNCTION logintel._anomalous_lines() RETURNS TABLE (
    log_entry_id bigint, "timestamp" timestamptz, service text, host text, anomaly_type text, anomaly_score real,
    severity text, predicted_level text, category text, http_status integer, response_time_ms double precision,
    message text, template text, model_version text, predicted_at timestamptz, log_table regclass
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $function$
    SELECT line.*
    FROM (SELECT logintel._hours_of_anomalies() AS found) AS h
    CROSS JOIN LATERAL (
        SELECT p.log_entry_id, l."timestamp", p.service, l.host, p.anomaly_type, p.anomaly_score, p.severity,
               p.predicted_level, p.category, l.http_status, l.response_time_ms, l.message, p.template,
               p.model_version, p.predicted_at, l.log_table
        FROM logintel_internal._predictions_now p
        JOIN logintel._log_lines() l ON l.id = p.log_entry_id AND pg_catalog.int4eq(l.attachment_id, p.attachment_id)
            AND logintel._is_time_of(l."timestamp", p."timestamp", p.predicted_at)
        WHERE p."timestamp" >= (h.found).from_time AND p."timestamp" <= (h.found).to_time
          AND p.score_id = ANY ((h.found).score_ids)
        ORDER BY p.predicted_at DESC) AS line;
$function$;

COMMENT ON FUNCTION logintel._anomalous_lines() IS 'The rows of ml_anomalies.';

CREATE OR REPLACE FUNCTION logintel._anomalous_scores() RETURNS bigint[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$ SELECT array_agg(s.score_id) FROM logintel_internal._scores_now s WHERE s.is_anomaly $function$;

COMMENT ON FUNCTION logintel._anomalous_scores() IS 'The scores that are anomalies under the threshold in force.';
