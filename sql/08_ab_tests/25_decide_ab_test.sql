-- A look is made when the sample is there for it, and never twice. What it says is done at once.
CREATE OR REPLACE FUNCTION logintel._ab_look(test logintel_internal.ab_tests) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    looks_done integer := logintel._ab_looks_done(test.id);
    challenger integer := (SELECT m.version FROM logintel_internal.models m WHERE m.id = test.challenger_id);
    seen record;
    reason text;
BEGIN
    SELECT e.* INTO seen FROM logintel._ab_evidence(test) e WHERE e.metric = test.metric;
    IF seen.look IS NOT NULL THEN
        INSERT INTO logintel_internal.ab_looks (test_id, look, sample, statistic, p_value, significance)
        VALUES (test.id, seen.look, seen.sample, seen.statistic, seen.p_value, logintel._ab_look_significance(test.significance, seen.look));
        looks_done := seen.look;
    END IF;
    IF seen.decision IS NULL THEN
        RETURN format('the data does not decide yet: %s; the next look is at %s',
                      logintel._ab_figures(test, seen), test.minimum_sample::bigint << looks_done);
    END IF;
    reason := format(CASE seen.decision WHEN 'promoted' THEN '%1$s %2$s is better: %3$s'
                                        WHEN 'kept' THEN '%1$s %2$s is worse: %3$s'
                                        ELSE 'the last look shows no difference to %1$s %2$s, the champion stays: %3$s' END,
                     test.name, challenger, logintel._ab_figures(test, seen));
    PERFORM logintel._end_ab_test(test.id, seen.decision, reason);
    IF seen.decision = 'promoted' THEN
        PERFORM logintel.deploy(test.name, challenger, reason);
    END IF;
    RETURN format('%s: %s', seen.decision, reason);
END
$function$;

COMMENT ON FUNCTION logintel._ab_look(logintel_internal.ab_tests) IS 'Makes the look at an A/B test that is due, and does what it says; returns that in words.';

CREATE OR REPLACE FUNCTION logintel._ab_figures(test logintel_internal.ab_tests, seen record) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RETURN concat(
        format('%s templates with an outcome', seen.sample),
        CASE WHEN test.share > 0 THEN ' on the smaller side' END,
        CASE WHEN seen.sample > 0 THEN format(', right on %s of %s against %s of %s (%s points)',
             seen.challenger_right, seen.challenger_templates, seen.champion_right, seen.champion_templates,
             to_char(100 * seen.difference, 'FMSG990.0')) END,
        CASE WHEN seen.look IS NOT NULL THEN format(', p %s at look %s, which decides up to %s',
             CASE WHEN seen.p_value < 0.00001 THEN '< 0.00001' ELSE '= ' || round(seen.p_value::numeric, 5) END, seen.look,
             round(logintel._ab_look_significance(test.significance, seen.look)::numeric, 5)) END);
END
$function$;

COMMENT ON FUNCTION logintel._ab_figures(logintel_internal.ab_tests, record) IS 'What a look at an A/B test saw, in words.';

CREATE OR REPLACE FUNCTION logintel.decide_ab_test(name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
BEGIN
    PERFORM logintel._lock_deployments();
    RETURN logintel._ab_look(logintel._running_ab_test(name));
END
$function$;

COMMENT ON FUNCTION logintel.decide_ab_test(text) IS 'Decides the running A/B test of a model by the rule fixed at its start: deploys a better challenger, ends the test of a worse one or, at the last look, of one that shows no difference; or changes nothing where the data does not decide yet. Returns which, with the figures.';
