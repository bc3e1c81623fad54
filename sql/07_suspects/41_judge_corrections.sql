-- Works on scores and their counts: a template may have a million lines. Where contexts predict several levels, the
-- one with most lines is accepted.
CREATE OR REPLACE FUNCTION logintel._judge_corrections(of_template text, accepted boolean, note text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    corrected record;
    verdict logintel_internal.feedback;
    lines bigint := 0;
BEGIN
    FOR corrected IN
        SELECT DISTINCT ON (c.declared_level) c.declared_level, c.predicted_level, c.score_id,
               sum(c.lines) OVER (PARTITION BY c.declared_level)::bigint AS lines
        FROM (SELECT s.declared_level, p.predicted_level, s.score_id, n.lines,
                     sum(n.lines) OVER (PARTITION BY s.declared_level, p.predicted_level) AS predicted_lines
              FROM logintel_internal._scores_now s JOIN logintel_internal._score_counts n USING (score_id)
              LEFT JOIN (SELECT i.score_id, u.predicted_level FROM logintel._suspects() u
                         CROSS JOIN unnest(u.score_ids) AS i (score_id)
                         WHERE u.template = of_template) AS u ON u.score_id = s.score_id
              CROSS JOIN LATERAL (SELECT coalesce(u.predicted_level, s.predicted_level) AS predicted_level) AS p
              WHERE s.template = of_template AND (s.is_correction OR u.score_id IS NOT NULL)) AS c
        ORDER BY c.declared_level, c.predicted_lines DESC, c.predicted_level, c.lines DESC, c.score_id
    LOOP
        SELECT 'template', ROW(s.template, s.service, s.source_type, s.level, s.status_class,
                               s.latency_bucket)::logintel.shape,
               s.shape_hash, corrected.declared_level, CASE WHEN accepted THEN corrected.predicted_level
                   ELSE corrected.declared_level END
        INTO verdict.scope, verdict.shape, verdict.shape_hash, verdict.declared_level, verdict.true_level
        FROM logintel_internal.scores s WHERE s.id = corrected.score_id;
        verdict.note := note;
        verdict.attachment_id := logintel._attachment_of(corrected.score_id);
        PERFORM logintel._remember_verdict(verdict);
        lines := lines + corrected.lines;
    END LOOP;
    IF lines = 0 THEN
        RAISE EXCEPTION 'no line with the template "%" is corrected', left(of_template, 100)
            USING ERRCODE = 'no_data_found',
                HINT = 'Take a template from logintel.ml_corrections or logintel.ml_suspects.';
    END IF;
    DELETE FROM logintel_internal.suspects s WHERE s.template = of_template;
    RETURN lines;
END
$function$;

COMMENT ON FUNCTION logintel._judge_corrections(text, boolean, text) IS 'Accepts or rejects the corrections of a template; returns of how many lines.';

CREATE OR REPLACE FUNCTION logintel.accept_corrections(template text, note text DEFAULT NULL) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$ SELECT logintel._judge_corrections(template, true, note) $function$;

COMMENT ON FUNCTION logintel.accept_corrections(text, text) IS 'The lines of a template that are corrected, or whose level is suspected, have in truth the level that is predicted: a verdict for each level that they declare, of which other templates learn. Returns how many lines there are.';

CREATE OR REPLACE FUNCTION logintel.reject_corrections(template text, note text DEFAULT NULL) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$ SELECT logintel._judge_corrections(template, false, note) $function$;

COMMENT ON FUNCTION logintel.reject_corrections(text, text) IS 'The lines of a template that are corrected, or whose level is suspected, have in truth the level that they declare: ml_corrections and ml_suspects show them no more. Returns how many lines there are.';
