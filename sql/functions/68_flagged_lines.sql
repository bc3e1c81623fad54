-- The rows of ml_corrections and ml_anomalies, newest first. Few of very many lines are wanted, and mostly the first
-- of those: the roll-up knows which hours have such lines, so those are read, one after the other, and nothing else.
--
-- Functions, because a view cannot say how it is to be run: hour after hour, and every line by its key; compiling the
-- query, or hashing the log table, would take seconds. A view that has them in its SELECT list stops them at its LIMIT.
CREATE FUNCTION logintel._corrections() RETURNS TABLE (
    log_entry_id bigint, "timestamp" timestamptz, service text, host text, declared_level text, predicted_level text,
    level_confidence real, severity_gap integer, severity text, message text, template text, template_lines bigint,
    template_declared_levels jsonb, level_probabilities jsonb, model_version text, predicted_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $function$
    WITH corrected AS MATERIALIZED (
        SELECT array_agg(s.score_id) AS score_ids, array_agg(DISTINCT s.template) AS templates
        FROM logintel.scored_shapes s WHERE s.is_correction),
    evidence AS MATERIALIZED (
        SELECT jsonb_object_agg(t.template, jsonb_build_object('lines', t.lines, 'declared', t.declared)) AS by_template
        FROM (SELECT d.template, sum(d.lines) AS lines, jsonb_object_agg(coalesce(d.declared_level, '?'), d.lines) AS declared
              FROM (SELECT s.template, s.declared_level, sum(c.lines)::bigint AS lines
                    FROM logintel.score_counts c JOIN logintel.scored_shapes s USING (score_id)
                    WHERE s.template = ANY ((SELECT templates FROM corrected)::text[])
                    GROUP BY s.template, s.declared_level) AS d
              GROUP BY d.template) AS t)
    SELECT line.*
    FROM (SELECT c.hour, array_agg(c.score_id) AS score_ids
          FROM logintel.score_counts_by_hour c
          WHERE c.score_id = ANY ((SELECT score_ids FROM corrected)::bigint[])
          GROUP BY c.hour ORDER BY c.hour DESC) AS h
    CROSS JOIN LATERAL (
        SELECT p.log_entry_id, l."timestamp", s.service, l.host, s.declared_level, s.predicted_level, s.level_confidence,
               predicted.severity_number - declared.severity_number, s.severity, l.message, s.template,
               (e.by_template -> s.template ->> 'lines')::bigint, e.by_template -> s.template -> 'declared',
               s.level_probabilities, s.model_version, p.predicted_at
        FROM logintel.predictions p
        JOIN logintel.scored_shapes s ON s.score_id = p.score_id
        JOIN logintel.log_lines l ON l.id = p.log_entry_id
        JOIN logintel.levels predicted ON predicted.level = s.predicted_level
        JOIN logintel.levels declared ON declared.level = s.declared_level
        CROSS JOIN evidence e
        WHERE p."timestamp" >= h.hour AND p."timestamp" < h.hour + interval '1 hour' AND p.score_id = ANY (h.score_ids)
        ORDER BY p.predicted_at DESC) AS line;
$function$;

COMMENT ON FUNCTION logintel._corrections() IS 'The rows of ml_corrections.';

CREATE FUNCTION logintel._anomalies() RETURNS TABLE (
    log_entry_id bigint, "timestamp" timestamptz, service text, host text, anomaly_type text, anomaly_score real,
    severity text, predicted_level text, category text, http_status integer, response_time_ms double precision,
    message text, template text, model_version text, predicted_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $function$
    SELECT line.*
    FROM (SELECT c.hour, array_agg(c.score_id) AS score_ids
          FROM logintel.score_counts_by_hour c
          WHERE c.score_id = ANY (ARRAY(SELECT s.score_id FROM logintel.scored_shapes s WHERE s.is_anomaly))
          GROUP BY c.hour ORDER BY c.hour DESC) AS h
    CROSS JOIN LATERAL (
        SELECT p.log_entry_id, l."timestamp", s.service, l.host, s.anomaly_type, s.anomaly_score, s.severity,
               s.predicted_level, s.category, l.http_status, l.response_time_ms, l.message, s.template,
               s.model_version, p.predicted_at
        FROM logintel.predictions p
        JOIN logintel.scored_shapes s ON s.score_id = p.score_id
        JOIN logintel.log_lines l ON l.id = p.log_entry_id
        WHERE p."timestamp" >= h.hour AND p."timestamp" < h.hour + interval '1 hour' AND p.score_id = ANY (h.score_ids)
        ORDER BY p.predicted_at DESC) AS line;
$function$;

COMMENT ON FUNCTION logintel._anomalies() IS 'The rows of ml_anomalies.';
