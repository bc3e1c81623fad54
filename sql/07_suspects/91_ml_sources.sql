CREATE OR REPLACE FUNCTION logintel._source_levels() RETURNS TABLE (
    service text, templates bigint, lines numeric, declared_levels jsonb, problems bigint,
        expected_problems double precision,
    evidence double precision, finding text, log_table regclass
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    WITH judged AS MATERIALIZED (
        SELECT j.* FROM logintel._judged_templates() j),
    levels AS (
        SELECT l.attachment_id, l.service, jsonb_object_agg(l.level, l.lines) AS declared_levels
        FROM (SELECT j.attachment_id, j.service, d.key AS level, sum(d.value::bigint) AS lines
              FROM judged j CROSS JOIN LATERAL jsonb_each_text(j.declared_levels) AS d GROUP BY 1, 2, 3) AS l
        GROUP BY l.attachment_id, l.service)
    SELECT j.service, count(*), sum(j.lines), l.declared_levels, count(*) FILTER (WHERE j.problem),
           round(sum(1 / (1 + exp(-j.words::double precision)))::numeric, 1)::double precision,
           max(j.stamped), CASE WHEN max(j.stamped) >= 5 THEN 'stamps one level' WHEN max(j.stamped) >= 3
               THEN 'may stamp one level' END, a.log_table
    FROM judged j JOIN levels l ON l.attachment_id = j.attachment_id AND l.service = j.service
    JOIN logintel_internal.attachments a ON a.id = j.attachment_id
    GROUP BY a.log_table, j.service, l.declared_levels;
$function$;

COMMENT ON FUNCTION logintel._source_levels() IS 'The rows of ml_sources.';

CREATE OR REPLACE VIEW logintel.ml_sources AS
SELECT s.* FROM logintel._source_levels() s ORDER BY s.evidence DESC, s.lines DESC, s.service;

COMMENT ON VIEW logintel.ml_sources IS 'Services, and whether their levels depend on what they say. One that declares all its templates alike, against what these say, does not testify for any level.';
COMMENT ON COLUMN logintel.ml_sources.service IS 'The service.';
COMMENT ON COLUMN logintel.ml_sources.templates IS 'How many templates it writes.';
COMMENT ON COLUMN logintel.ml_sources.lines IS 'How many lines.';
COMMENT ON COLUMN logintel.ml_sources.declared_levels IS 'How many of them declare each level; ? stands for unknown levels.';
COMMENT ON COLUMN logintel.ml_sources.problems IS 'Templates that are WARN or above, as declared or as verdicts say.';
COMMENT ON COLUMN logintel.ml_sources.expected_problems IS 'How many would be, by their words alone.';
COMMENT ON COLUMN logintel.ml_sources.evidence IS 'Log-odds against levels that are all alike by chance; 0 where they are not all alike.';
COMMENT ON COLUMN logintel.ml_sources.finding IS 'stamps one level (evidence of 5 and more), may stamp one level (of 3), or null.';
COMMENT ON COLUMN logintel.ml_sources.log_table IS 'The log table of its lines.';
