-- The rows of ml_corrections, newest first, read as _anomalies() reads its own.
--
-- A correction is not shown where a verdict says that the declared level is right. Of a score that a verdict on its
-- template rejects, only the hours of lines whose own verdict says otherwise are read.
--
-- When there are corrections is a statistic; which lines they are, and what these say, is read with the rights of who
-- asks.
CREATE OR REPLACE FUNCTION logintel._hours_of_corrections() RETURNS TABLE (
    from_time timestamptz, to_time timestamptz, score_ids bigint[], evidence jsonb
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $function$
    WITH corrected AS MATERIALIZED (
        SELECT c.* FROM logintel._corrected_scores() c)
    SELECT h.*, (SELECT jsonb_object_agg(md5(s.template), c.evidence -> md5(s.template))
                        || coalesce(jsonb_object_agg(s.id, c.evidence -> s.id::text)
                                    FILTER (WHERE c.evidence ? s.id::text), '{}')
                 FROM logintel_internal.scores s WHERE s.id = ANY (h.score_ids))
    FROM corrected c
    CROSS JOIN LATERAL logintel._hours_of_scores(c.score_ids, c.other_hours, c.other_scores) AS h;
$function$;

COMMENT ON FUNCTION logintel._hours_of_corrections() IS 'When there are lines whose level is corrected, newest first, with their scores and the evidence by the hash of the template.';

CREATE OR REPLACE FUNCTION logintel._corrected_lines() RETURNS TABLE (
    log_entry_id bigint, "timestamp" timestamptz, service text, host text, declared_level text, predicted_level text,
    true_level text, level_confidence real, severity_gap integer, severity text, message text, template text,
    template_lines bigint, template_declared_levels jsonb, level_probabilities jsonb, model_version text,
    predicted_at timestamptz, reason text, log_table regclass
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $function$
    SELECT line.*
    FROM (SELECT logintel._hours_of_corrections() AS found) AS h
    CROSS JOIN LATERAL (
        SELECT p.log_entry_id, l."timestamp", p.service, l.host, p.declared_level, predicted.level,
               t.true_level, CASE WHEN s.suspicion IS NULL THEN p.level_confidence
                   ELSE (s.suspicion ->> 'confidence')::real END,
               predicted.severity_number - declared.severity_number, logintel.severity(predicted.level, p.is_anomaly),
               l.message, p.template,
               ((h.found).evidence -> md5(p.template) ->> 'lines')::bigint,
               (h.found).evidence -> md5(p.template) -> 'declared',
               p.level_probabilities, p.model_version, p.predicted_at,
               coalesce(s.suspicion ->> 'reason', CASE WHEN EXISTS (
                   SELECT FROM jsonb_object_keys((h.found).evidence -> md5(p.template) -> 'declared') AS o (level)
                   WHERE logintel._level_kind(o.level) <> logintel._level_kind(p.declared_level))
                   THEN 'differs_from_template' ELSE 'template_mislabelled' END), l.log_table
        FROM logintel_internal._predictions_now p
        CROSS JOIN LATERAL (SELECT (h.found).evidence -> p.score_id::text AS suspicion) AS s
        JOIN logintel._log_lines() l ON l.id = p.log_entry_id AND pg_catalog.int4eq(l.attachment_id, p.attachment_id)
            AND logintel._is_time_of(l."timestamp", p."timestamp", p.predicted_at)
        JOIN logintel_internal.levels predicted
            ON predicted.level = coalesce(s.suspicion ->> 'level', p.predicted_level)
        JOIN logintel_internal.levels declared ON declared.level = p.declared_level
        LEFT JOIN logintel_internal._line_verdicts v ON v.log_entry_id = p.log_entry_id AND v.score_id = p.score_id
        CROSS JOIN LATERAL (
            SELECT coalesce(v.true_level, (h.found).evidence -> md5(p.template) -> 'truth' ->> p.declared_level)
                AS true_level) AS t
        WHERE p."timestamp" >= (h.found).from_time AND p."timestamp" <= (h.found).to_time
          AND p.score_id = ANY ((h.found).score_ids)
          AND t.true_level IS DISTINCT FROM p.declared_level
        ORDER BY p.predicted_at DESC) AS line;
$function$;

COMMENT ON FUNCTION logintel._corrected_lines() IS 'The rows of ml_corrections.';

-- What all lines need is looked up in one object: a join would be made anew for every line.
CREATE OR REPLACE FUNCTION logintel._corrected_scores(
    OUT score_ids bigint[], OUT other_hours timestamptz[], OUT other_scores bigint[], OUT evidence jsonb
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    WITH suspected AS MATERIALIZED (
        SELECT i.score_id, jsonb_build_object('level', s.predicted_level, 'confidence', s.confidence, 'reason',
                                              s.reason) AS suspicion
        FROM logintel._suspects() s CROSS JOIN unnest(s.score_ids) AS i (score_id)),
    scores AS MATERIALIZED (
        SELECT s.score_id, s.template, s.declared_level, s.is_correction OR u.score_id IS NOT NULL AS is_correction,
            u.suspicion
        FROM logintel_internal._scores_now s LEFT JOIN suspected u ON u.score_id = s.score_id),
    corrected AS MATERIALIZED (
        SELECT c.score_id, c.template, c.declared_level, v.true_level,
               v.true_level IS NOT DISTINCT FROM c.declared_level AS rejected
        FROM scores c
        CROSS JOIN LATERAL logintel._truth(NULL, c.template, c.declared_level) AS v
        WHERE c.is_correction),
    contrary AS MATERIALIZED (
        SELECT DISTINCT date_trunc('hour', t."timestamp", 'UTC') AS hour, t.score_id
        FROM logintel_internal._line_truth t JOIN corrected c ON c.score_id = t.score_id AND c.rejected
        WHERE t.true_level <> t.declared_level),
    declared AS (
        SELECT s.template, s.declared_level, sum(n.lines)::bigint AS lines
        FROM logintel_internal._score_counts n JOIN scores s USING (score_id)
        WHERE s.template IN (SELECT c.template FROM corrected c)
        GROUP BY s.template, s.declared_level),
    judged AS (
        SELECT c.template, jsonb_object_agg(c.declared_level, c.true_level) AS truth
        FROM corrected c WHERE c.true_level IS NOT NULL GROUP BY c.template),
    by_template AS (
        SELECT d.template, sum(d.lines) AS lines, jsonb_object_agg(coalesce(d.declared_level, '?'), d.lines)
            AS declared,
               (SELECT j.truth FROM judged j WHERE j.template = d.template) AS truth
        FROM declared d GROUP BY d.template)
    SELECT (SELECT array_agg(c.score_id) FROM corrected c WHERE NOT c.rejected),
           (SELECT array_agg(o.hour) FROM contrary o), (SELECT array_agg(o.score_id) FROM contrary o),
           (SELECT jsonb_object_agg(md5(t.template), jsonb_build_object('lines', t.lines, 'declared', t.declared,
               'truth', t.truth))
            FROM by_template t) || coalesce((SELECT jsonb_object_agg(c.score_id, c.suspicion) FROM scores c
                                             WHERE c.suspicion IS NOT NULL), '{}');
$function$;

COMMENT ON FUNCTION logintel._corrected_scores() IS 'The scores that are corrections and not rejected; hours of lines of the rejected ones that have a contrary verdict of their own; and for each template of a correction how many lines it has, what they declare, and what verdicts on the template say of each declared level.';
