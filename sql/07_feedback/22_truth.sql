-- The one place that says what is true of a line: its own verdict comes first, then the one on its template for the
-- level that it declares, then the one on its template. Each of level, category and anomaly is taken from the first
-- that speaks of it. The planner inlines it; the conditions are those of the unique index, so at most one verdict of
-- each kind is found.
CREATE OR REPLACE FUNCTION logintel._truth(own logintel_internal.feedback, template text, declared_level text)
RETURNS TABLE (true_level text, true_category text, is_anomaly boolean, given_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT coalesce(($1).true_level, d.true_level, t.true_level), coalesce(($1).true_category, d.true_category, t.true_category),
           coalesce(($1).is_anomaly, d.is_anomaly, t.is_anomaly), greatest(($1).given_at, d.given_at, t.given_at)
    FROM (VALUES (true)) AS one (row)
    LEFT JOIN logintel_internal.feedback d ON d.is_current AND d.scope = 'template'
        AND md5((d.shape).template) = md5($2)
        AND coalesce(d.declared_level, '') = $3
    LEFT JOIN logintel_internal.feedback t ON t.is_current AND t.scope = 'template'
        AND md5((t.shape).template) = md5($2)
        AND coalesce(t.declared_level, '') = '';
END;

COMMENT ON FUNCTION logintel._truth(logintel_internal.feedback, text, text) IS 'What current verdicts say of a line, given the verdict on itself (null for none), its template and its normalised declared level; nulls where they say nothing. given_at: when the newest of them was given.';

CREATE OR REPLACE FUNCTION logintel._true_answer(name text, true_level text, true_category text, is_anomaly boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE name WHEN 'level' THEN true_level WHEN 'category' THEN true_category ELSE is_anomaly::text END;

COMMENT ON FUNCTION logintel._true_answer(text, text, text, boolean) IS 'What a model would have to answer, as _answers() writes it.';
