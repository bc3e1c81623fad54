-- A running test as it stands, one that ended as it ended.
CREATE OR REPLACE VIEW logintel.ml_ab_results AS
SELECT t.id, t.name, m.version, r.side, CASE WHEN t.share = 0 THEN 'shadow' ELSE 'split' END AS kind, t.share, t.metric,
       coalesce(t.outcome, 'running') AS state, r.lines, r.lines_compared,
       r.lines_alike / nullif(r.lines_compared, 0)::double precision AS agreement,
       r.right_feedback / nullif(r.templates_feedback, 0)::double precision AS accuracy_feedback, r.templates_feedback,
       r.right_declared / nullif(r.templates_declared, 0)::double precision AS accuracy_declared, r.templates_declared,
       r.confidence AS mean_confidence, r.latency_us AS mean_latency_us, r.sample, r.only_right,
       r.difference, r.lower, r.upper, r.p_value, looks.done AS looks,
       CASE WHEN t.ended_at IS NULL THEN t.minimum_sample::bigint << looks.done END AS next_look_at,
       CASE WHEN t.ended_at IS NULL THEN t.significance * 2 ^ looks.done / 31 END AS next_significance,
       t.significance, t.auto, t.why, t.reason, t.started_at, t.started_by, t.ended_at
FROM logintel_internal.ab_tests t
CROSS JOIN LATERAL (
    SELECT e.* FROM logintel_internal.ab_results e WHERE e.test_id = t.id
    UNION ALL
    SELECT e.* FROM logintel._ab_results(t.id) e WHERE t.ended_at IS NULL) AS r
JOIN logintel_internal.models m ON m.id = CASE r.side WHEN 'champion' THEN t.champion_id ELSE t.challenger_id END
CROSS JOIN LATERAL (SELECT coalesce(max(l.look), 0) AS done FROM logintel_internal.ab_looks l
    WHERE l.test_id = t.id) AS looks
ORDER BY t.id DESC, r.side DESC;

COMMENT ON VIEW logintel.ml_ab_results IS 'A/B tests, newest first, two rows each: the champion and the challenger. Accuracies count templates, not lines: a model says the same of all lines of one.';
COMMENT ON COLUMN logintel.ml_ab_results.id IS 'The test.';
COMMENT ON COLUMN logintel.ml_ab_results.name IS 'The model under test.';
COMMENT ON COLUMN logintel.ml_ab_results.version IS 'The version on this side.';
COMMENT ON COLUMN logintel.ml_ab_results.side IS 'champion: in force when the test began. challenger: might take its place.';
COMMENT ON COLUMN logintel.ml_ab_results.kind IS 'shadow: both score the shapes of all lines, the champion serves them. split: each serves its share.';
COMMENT ON COLUMN logintel.ml_ab_results.share IS 'Share of the lines that the challenger serves.';
COMMENT ON COLUMN logintel.ml_ab_results.metric IS 'What decides: feedback, or declared levels.';
COMMENT ON COLUMN logintel.ml_ab_results.state IS 'running, or how it ended: promoted, kept, undecided or stopped.';
COMMENT ON COLUMN logintel.ml_ab_results.lines IS 'Lines written since the start that this side scored.';
COMMENT ON COLUMN logintel.ml_ab_results.lines_compared IS 'Lines that both sides scored; 0 in a split test.';
COMMENT ON COLUMN logintel.ml_ab_results.agreement IS 'Share of these of which both say the same; null in a split test.';
COMMENT ON COLUMN logintel.ml_ab_results.accuracy_feedback IS 'Share of the templates that verdicts given since the start speak of which this side has right: most of their lines.';
COMMENT ON COLUMN logintel.ml_ab_results.templates_feedback IS 'How many templates that are.';
COMMENT ON COLUMN logintel.ml_ab_results.accuracy_declared IS 'The same by verdicts and, where there are none, by whether the declared level is a problem (WARN and above); templates whose level is suspected are left out. Null but for the model level.';
COMMENT ON COLUMN logintel.ml_ab_results.templates_declared IS 'How many templates that are.';
COMMENT ON COLUMN logintel.ml_ab_results.mean_confidence IS 'Mean confidence over the lines, 0 to 1.';
COMMENT ON COLUMN logintel.ml_ab_results.mean_latency_us IS 'Mean time that a score took, by all models of the set together, in microseconds.';
COMMENT ON COLUMN logintel.ml_ab_results.sample IS 'Templates with an outcome by the metric: of both sides alike in a shadow test, of the smaller side in a split test.';
COMMENT ON COLUMN logintel.ml_ab_results.only_right IS 'Templates among them that this side alone has right; null in a split test.';
COMMENT ON COLUMN logintel.ml_ab_results.difference IS 'Share right of the challenger less that of the champion, by the metric.';
COMMENT ON COLUMN logintel.ml_ab_results.lower IS 'Lower end of its 95% interval (Wald''s for pairs in a shadow test, Newcombe''s in a split test).';
COMMENT ON COLUMN logintel.ml_ab_results.upper IS 'Upper end of it.';
COMMENT ON COLUMN logintel.ml_ab_results.p_value IS 'Probability of such a difference, or a larger one, between equals: McNemar''s test in a shadow test, two proportions in a split test. Looked at out of turn it decides nothing.';
COMMENT ON COLUMN logintel.ml_ab_results.looks IS 'The last look that was made, of five.';
COMMENT ON COLUMN logintel.ml_ab_results.next_look_at IS 'Sample at which the next look is due.';
COMMENT ON COLUMN logintel.ml_ab_results.next_significance IS 'What that look may spend: it decides where the p-value is not above.';
COMMENT ON COLUMN logintel.ml_ab_results.significance IS 'What all looks together may spend.';
COMMENT ON COLUMN logintel.ml_ab_results.auto IS 'Whether maintain() decides the test.';
COMMENT ON COLUMN logintel.ml_ab_results.why IS 'Why it was started, where somebody said it.';
COMMENT ON COLUMN logintel.ml_ab_results.reason IS 'Why it ended so, with the figures of the decision.';
COMMENT ON COLUMN logintel.ml_ab_results.started_at IS 'When it began.';
COMMENT ON COLUMN logintel.ml_ab_results.started_by IS 'By which role.';
COMMENT ON COLUMN logintel.ml_ab_results.ended_at IS 'When it ended; null while it runs.';
