-- The scores whose lines are corrections, with the evidence. A correction is not shown where a verdict says that the
-- declared level is right. Of a score that a verdict on its template rejects, there may be lines whose own verdict says
-- otherwise. Which scores there are is a statistic; which lines have them, and what these say, the view reads with the
-- rights of who asks: nothing in here is text of a line.
CREATE OR REPLACE FUNCTION logintel._corrected_scores() RETURNS TABLE (
    score_id bigint, suspected_level text, confidence real, reason text, true_level text, template_lines bigint,
    template_declared_levels jsonb
)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    WITH suspected AS MATERIALIZED (
        SELECT i.score_id, s.predicted_level, s.confidence, s.reason
        FROM logintel._suspects() s CROSS JOIN unnest(s.score_ids) AS i (score_id)),
    scores AS MATERIALIZED (
        SELECT s.score_id, s.template, s.declared_level, s.is_correction OR u.score_id IS NOT NULL AS is_correction,
               u.predicted_level AS suspected_level, u.confidence, u.reason
        FROM logintel_internal._scores_now s LEFT JOIN suspected u ON u.score_id = s.score_id),
    corrected AS MATERIALIZED (
        SELECT c.*, v.true_level
        FROM scores c
        CROSS JOIN LATERAL logintel._truth(NULL, c.template, c.declared_level) AS v
        WHERE c.is_correction),
    shown AS MATERIALIZED (
        SELECT c.* FROM corrected c
        WHERE c.true_level IS DISTINCT FROM c.declared_level
           OR c.score_id IN (SELECT t.score_id FROM logintel_internal._line_truth t
               WHERE t.true_level <> t.declared_level)),
    declared AS MATERIALIZED (
        SELECT s.template, s.declared_level, sum(n.lines)::bigint AS lines
        FROM logintel_internal._score_counts n JOIN scores s USING (score_id)
        WHERE s.template IN (SELECT c.template FROM shown c)
        GROUP BY s.template, s.declared_level),
    by_template AS MATERIALIZED (
        SELECT d.template, sum(d.lines)::bigint AS lines,
               jsonb_object_agg(coalesce(d.declared_level, '?'), d.lines) AS declared,
               array_agg(DISTINCT logintel._level_kind(d.declared_level)) AS kinds
        FROM declared d GROUP BY d.template)
    SELECT c.score_id, c.suspected_level, c.confidence,
           coalesce(c.reason, CASE WHEN t.kinds && array_remove(ARRAY[1, 2, 3], logintel._level_kind(c.declared_level))
                                   THEN 'differs_from_template' ELSE 'template_mislabelled' END),
           c.true_level, t.lines, t.declared
    FROM shown c LEFT JOIN by_template t ON t.template = c.template;
$function$;

COMMENT ON FUNCTION logintel._corrected_scores() IS 'The scores that are corrections, save those that a verdict on their template rejects and no verdict on a line contradicts; with what a suspicion says, what a verdict on the template says, how many lines the template has, and what they declare.';
