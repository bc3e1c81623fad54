-- The rows of ml_corrections, newest first, read as _anomalies() reads its own.
--
-- A correction is not shown where a verdict says that the declared level is right. Of a score that a verdict on its
-- template rejects, only the hours of lines whose own verdict says otherwise are read.
--
-- Which lines these are is a statistic; what they say is read with the rights of who asks.
CREATE OR REPLACE FUNCTION logintel._corrected_lines() RETURNS TABLE (
    log_entry_id bigint, "timestamp" timestamptz, predicted_at timestamptz, score_id bigint, true_level text,
    severity_gap integer, template_lines bigint, template_declared_levels jsonb
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $function$
    WITH corrected AS MATERIALIZED (
        SELECT c.* FROM logintel._corrected_scores() c)
    SELECT line.*
    FROM corrected c
    CROSS JOIN LATERAL logintel._hours_of_scores(c.score_ids, c.other_hours, c.other_scores) AS h
    CROSS JOIN LATERAL (
        SELECT p.log_entry_id, p."timestamp", p.predicted_at, p.score_id, v.true_level,
               predicted.severity_number - declared.severity_number,
               (c.evidence -> s.template ->> 'lines')::bigint, c.evidence -> s.template -> 'declared'
        FROM logintel.predictions p
        JOIN logintel._scores_now s ON s.score_id = p.score_id
        JOIN logintel.levels predicted ON predicted.level = s.predicted_level
        JOIN logintel.levels declared ON declared.level = s.declared_level
        LEFT JOIN logintel.feedback f ON f.log_entry_id = p.log_entry_id AND f.shape_hash = s.shape_hash
            AND f.is_current AND f.scope = 'line'
        CROSS JOIN LATERAL logintel._truth(f, s.template, s.declared_level) AS v
        WHERE p."timestamp" >= h.from_time AND p."timestamp" <= h.to_time AND p.score_id = ANY (h.score_ids)
          AND v.true_level IS DISTINCT FROM s.declared_level
          AND p.log_entry_id <> ALL (ARRAY(SELECT q.log_entry_id FROM logintel.pending q WHERE q.changed))
        ORDER BY p.predicted_at DESC) AS line;
$function$;

COMMENT ON FUNCTION logintel._corrected_lines() IS 'The lines of ml_corrections, newest first, and the evidence.';

CREATE OR REPLACE FUNCTION logintel._corrections() RETURNS TABLE (
    log_entry_id bigint, "timestamp" timestamptz, service text, host text, declared_level text, predicted_level text,
    true_level text, level_confidence real, severity_gap integer, severity text, message text, template text,
    template_lines bigint, template_declared_levels jsonb, level_probabilities jsonb, model_version text, predicted_at timestamptz
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $function$
    SELECT line.*
    FROM (SELECT logintel._corrected_lines() AS line) AS c
    CROSS JOIN LATERAL (
        SELECT l.id, l."timestamp", s.service, l.host, s.declared_level, s.predicted_level, (c.line).true_level,
               s.level_confidence, (c.line).severity_gap, s.severity, l.message, s.template, (c.line).template_lines,
               (c.line).template_declared_levels, s.level_probabilities, s.model_version, (c.line).predicted_at
        FROM logintel._scores_now s
        JOIN logintel._log_lines() l ON l.id = (c.line).log_entry_id
            AND logintel._is_time_of(l."timestamp", (c.line)."timestamp", (c.line).predicted_at)
        WHERE s.score_id = (c.line).score_id) AS line;
$function$;

COMMENT ON FUNCTION logintel._corrections() IS 'The rows of ml_corrections.';

-- What all lines need is looked up in one object: a join would be made anew for every line.
CREATE OR REPLACE FUNCTION logintel._corrected_scores(
    OUT score_ids bigint[], OUT other_hours timestamptz[], OUT other_scores bigint[], OUT evidence jsonb
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    WITH scores AS MATERIALIZED (
        SELECT s.score_id, s.template, s.declared_level, s.is_correction FROM logintel._scores_now s),
    corrected AS MATERIALIZED (
        SELECT c.score_id, c.template, v.true_level IS NOT DISTINCT FROM c.declared_level AS rejected
        FROM scores c
        CROSS JOIN LATERAL logintel._truth(NULL, c.template, c.declared_level) AS v
        WHERE c.is_correction),
    contrary AS MATERIALIZED (
        SELECT DISTINCT date_trunc('hour', t."timestamp", 'UTC') AS hour, t.score_id
        FROM logintel._line_truth t JOIN corrected c ON c.score_id = t.score_id AND c.rejected
        WHERE t.true_level <> t.declared_level),
    declared AS (
        SELECT s.template, s.declared_level, sum(n.lines)::bigint AS lines
        FROM logintel._score_counts n JOIN scores s USING (score_id)
        WHERE s.template IN (SELECT c.template FROM corrected c)
        GROUP BY s.template, s.declared_level),
    by_template AS (
        SELECT d.template, sum(d.lines) AS lines, jsonb_object_agg(coalesce(d.declared_level, '?'), d.lines) AS declared
        FROM declared d GROUP BY d.template)
    SELECT (SELECT array_agg(c.score_id) FROM corrected c WHERE NOT c.rejected),
           (SELECT array_agg(o.hour) FROM contrary o), (SELECT array_agg(o.score_id) FROM contrary o),
           (SELECT jsonb_object_agg(t.template, jsonb_build_object('lines', t.lines, 'declared', t.declared)) FROM by_template t);
$function$;

COMMENT ON FUNCTION logintel._corrected_scores() IS 'The scores that are corrections and not rejected; hours of lines of the rejected ones that have a contrary verdict of their own; and for each template of a correction how many lines it has and what they declare.';
