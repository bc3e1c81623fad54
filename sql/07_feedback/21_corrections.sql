-- The rows of ml_corrections, newest first. Few of very many lines are wanted, and mostly the first
-- of those: the roll-up knows which hours have such lines, so those are read, one after the other, and nothing else.
--
-- Functions, because a view cannot say how it is to be run: hour after hour, and every line by its key; compiling the
-- query, or hashing the log table, would take seconds. A view that has them in its SELECT list stops them at its LIMIT.

-- Strict, so that it is planned only where there is something to look for.
CREATE OR REPLACE FUNCTION logintel._hours_of_verdicts(score_ids bigint[]) RETURNS TABLE (hour timestamptz, score_id bigint)
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $function$
    WITH contrary AS MATERIALIZED (
        SELECT f.log_entry_id, s.id AS score_id
        FROM logintel.shape_scores s
        JOIN logintel.level_names n ON n.name = lower(btrim(s.level))
        JOIN logintel.feedback f ON f.shape_hash = s.shape_hash AND f.is_current AND f.scope = 'line' AND f.true_level <> n.level
        WHERE s.id = ANY (score_ids))
    SELECT DISTINCT date_trunc('hour', p."timestamp", 'UTC'), c.score_id
    FROM contrary c
    JOIN logintel.predictions p ON p.log_entry_id = c.log_entry_id AND p.score_id = c.score_id;
$function$;

COMMENT ON FUNCTION logintel._hours_of_verdicts(bigint[]) IS 'Hours of the lines that have one of these scores and a verdict of their own that the declared level is wrong.';

-- A correction is not shown where a verdict says that the declared level is right: the line's own, or else its template's.
-- What verdicts on templates say is one object, {"declared level, '' for any": {"template": "true level"}}, and null where
-- there are none. Hours of scores that it rejects are read only for lines whose own verdict may say otherwise.
CREATE OR REPLACE FUNCTION logintel._corrections() RETURNS TABLE (
    log_entry_id bigint, "timestamp" timestamptz, service text, host text, declared_level text, predicted_level text,
    true_level text, level_confidence real, severity_gap integer, severity text, message text, template text,
    template_lines bigint, template_declared_levels jsonb, level_probabilities jsonb, model_version text, predicted_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $function$
    WITH judged AS MATERIALIZED (
        SELECT jsonb_object_agg(t.declared_level, t.levels) AS levels
        FROM (SELECT coalesce(f.declared_level, '') AS declared_level, jsonb_object_agg((f.shape).template, f.true_level) AS levels
              FROM logintel.feedback f WHERE f.is_current AND f.scope = 'template' AND f.true_level IS NOT NULL
              GROUP BY 1) AS t),
    corrected AS MATERIALIZED (
        SELECT array_agg(s.score_id) FILTER (WHERE NOT s.rejected) AS score_ids, array_agg(DISTINCT s.template) AS templates,
               array_agg(s.score_id) FILTER (WHERE s.rejected) AS rejected_ids
        FROM (SELECT c.score_id, c.template,
                     c.declared_level IS NOT DISTINCT FROM coalesce(j.levels #>> ARRAY[c.declared_level, c.template],
                                                                    j.levels #>> ARRAY['', c.template]) AS rejected
              FROM logintel.scored_shapes c CROSS JOIN judged j WHERE c.is_correction) AS s),
    evidence AS MATERIALIZED (
        SELECT jsonb_object_agg(t.template, jsonb_build_object('lines', t.lines, 'declared', t.declared)) AS by_template
        FROM (SELECT d.template, sum(d.lines) AS lines, jsonb_object_agg(coalesce(d.declared_level, '?'), d.lines) AS declared
              FROM (SELECT s.template, s.declared_level, sum(c.lines)::bigint AS lines
                    FROM logintel.score_counts c JOIN logintel.scored_shapes s USING (score_id)
                    WHERE s.template = ANY ((SELECT templates FROM corrected)::text[])
                    GROUP BY s.template, s.declared_level) AS d
              GROUP BY d.template) AS t)
    SELECT line.*
    FROM (SELECT k.hour, array_agg(k.score_id) AS score_ids
          FROM (SELECT c.hour, c.score_id
                FROM logintel.score_counts_by_hour c
                WHERE c.score_id = ANY ((SELECT score_ids FROM corrected)::bigint[])
                UNION ALL
                SELECT r.hour, r.score_id
                FROM logintel._hours_of_verdicts((SELECT rejected_ids FROM corrected)::bigint[]) AS r) AS k
          GROUP BY k.hour ORDER BY k.hour DESC) AS h
    CROSS JOIN LATERAL (
        SELECT p.log_entry_id, l."timestamp", s.service, l.host, s.declared_level, s.predicted_level, v.true_level,
               s.level_confidence, predicted.severity_number - declared.severity_number, s.severity, l.message, s.template,
               (e.by_template -> s.template ->> 'lines')::bigint, e.by_template -> s.template -> 'declared',
               s.level_probabilities, s.model_version, p.predicted_at
        FROM logintel.predictions p
        JOIN logintel.scored_shapes s ON s.score_id = p.score_id
        JOIN logintel.log_lines l ON l.id = p.log_entry_id
        JOIN logintel.levels predicted ON predicted.level = s.predicted_level
        JOIN logintel.levels declared ON declared.level = s.declared_level
        LEFT JOIN logintel.feedback f ON f.log_entry_id = p.log_entry_id AND f.shape_hash = s.shape_hash
            AND f.is_current AND f.scope = 'line'
        CROSS JOIN evidence e
        CROSS JOIN LATERAL (SELECT coalesce(f.true_level, (SELECT levels FROM judged) #>> ARRAY[s.declared_level, s.template],
                                            (SELECT levels FROM judged) #>> ARRAY['', s.template]) AS true_level) AS v
        WHERE p."timestamp" >= h.hour AND p."timestamp" < h.hour + interval '1 hour' AND p.score_id = ANY (h.score_ids)
          AND v.true_level IS DISTINCT FROM s.declared_level
        ORDER BY p.predicted_at DESC) AS line;
$function$;

COMMENT ON FUNCTION logintel._corrections() IS 'The rows of ml_corrections.';
