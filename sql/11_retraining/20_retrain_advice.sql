-- Whether a retraining is worth its while, from what is counted already: the roll-up, the verdicts, the drift that was
-- judged. Nothing here reads the log table.

-- Raised together with VERSION in logintel_server/tokens.py.
CREATE OR REPLACE FUNCTION logintel._tokens_version() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 2;

COMMENT ON FUNCTION logintel._tokens_version() IS 'Version of the tokens that models are given; a model records the one it was trained with.';

CREATE OR REPLACE FUNCTION logintel._verdicts_since(name text, since timestamptz, OUT verdicts bigint, OUT judged bigint, OUT accuracy double precision)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT count(*), count(a.answer), avg((a.answer = t.answer)::integer)::double precision
    FROM logintel_internal.feedback f
    CROSS JOIN LATERAL logintel._true_answer($1, f.true_level, f.true_category, f.is_anomaly) AS t (answer)
    LEFT JOIN LATERAL (
        SELECT n.answer
        FROM (SELECT s FROM logintel_internal.scores s
              WHERE s.model_set_id = logintel._set_in_force() AND s.shape_hash = f.shape_hash AND s.evicted_txid IS NULL
              LIMIT 1) AS k (score)
        CROSS JOIN LATERAL logintel._answers(k.score, logintel._setting('anomaly_threshold')::real) AS n
        WHERE n.name = $1) AS a ON true
    WHERE f.is_current AND f.given_at > $2 AND t.answer IS NOT NULL;
$function$;

COMMENT ON FUNCTION logintel._verdicts_since(text, timestamptz) IS 'Verdicts on what a model tells that were given since then; those whose shape the models in force know, and how often they are right there.';

CREATE OR REPLACE FUNCTION logintel._number(n bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_char(n, 'FM999,999,999,999,990');

COMMENT ON FUNCTION logintel._number(bigint) IS 'A number as people read it.';

CREATE OR REPLACE FUNCTION logintel._drift_reason(name text, version integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    last_day date := (SELECT max(d.day) FROM logintel.ml_drift d WHERE d.name = _drift_reason.name AND d.version = _drift_reason.version);
BEGIN
    RETURN (SELECT format('drift on %s: %s%s', last_day,
                          string_agg(concat_ws(' of ', w.measure, nullif(w.service, '')) || ' ' || round(w.value::numeric, 2), ', ' ORDER BY w.n)
                              FILTER (WHERE w.n <= 3),
                          CASE WHEN count(*) > 3 THEN format(', and %s more', count(*) - 3) END)
            FROM (SELECT d.*, row_number() OVER (ORDER BY d.value DESC) AS n FROM logintel.ml_drift d
                  WHERE d.name = _drift_reason.name AND d.version = _drift_reason.version AND d.day = last_day AND d.state = 'drift') AS w
            HAVING count(*) > 0);
END
$function$;

COMMENT ON FUNCTION logintel._drift_reason(text, integer) IS 'In words, whether a version drifted on the latest day that was judged; null where it did not.';

-- What a default model lacks: enough lines with two levels to learn the habits of a source from.
CREATE OR REPLACE FUNCTION logintel._habits_reason(model logintel_internal.models) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT format('a default model is in force, which does not know your lines: %s of them declare one of %s levels',
                      logintel._number(sum(d.lines)::bigint), count(DISTINCT d.level))
        FROM (SELECT logintel.normalize_level(s.level) AS level, sum(t.lines) AS lines
              FROM logintel_internal.score_totals t JOIN logintel_internal.scores s ON s.id = t.score_id
              WHERE t.lines > 0 AND (model).name = 'level' AND (model).metadata ->> 'origin' = 'default'
              GROUP BY s.level) AS d
        WHERE d.level IS NOT NULL
        HAVING sum(d.lines) >= 1000 AND count(DISTINCT d.level) >= 2);

COMMENT ON FUNCTION logintel._habits_reason(logintel_internal.models) IS 'In words, whether lines could teach more than a default model knows; null where it is none.';

CREATE OR REPLACE FUNCTION logintel._retrain_reasons(model logintel_internal.models, verdicts bigint, lines bigint) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    metadata jsonb := model.metadata;
    judged bigint;
    accuracy double precision;
    learnt_from bigint := coalesce(metadata #>> '{trained_from,lines}', metadata #>> '{samples,lines}')::bigint;
BEGIN
    SELECT v.judged, v.accuracy INTO judged, accuracy
    FROM logintel._verdicts_since(model.name, coalesce((metadata ->> 'trained_at')::timestamptz, model.created_at)) v;
    RETURN array_remove(ARRAY[
        logintel._habits_reason(model),
        logintel._drift_reason(model.name, model.version),
        CASE WHEN verdicts >= 50 THEN format('%s verdicts since it was trained', logintel._number(verdicts)) END,
        CASE WHEN judged >= 20 AND accuracy < (metadata ->> 'accuracy')::double precision - 0.05 THEN
            format('right in %s%% of %s verdicts since it was trained, and in %s%% when it was',
                   round(accuracy::numeric * 100), logintel._number(judged), round((metadata ->> 'accuracy')::numeric * 100)) END,
        CASE WHEN (metadata ->> 'shape_version')::integer <> logintel._shape_version()
               OR (metadata ->> 'tokens_version')::integer <> logintel._tokens_version() THEN
            'it was trained with another version of shapes or tokens' END,
        -- Only where it had learnt from all lines there were.
        CASE WHEN learnt_from < coalesce(metadata #>> '{trained_with,lines}', '10000')::bigint AND lines >= 10 * learnt_from
                  AND metadata ->> 'origin' IS DISTINCT FROM 'default' THEN
            format('it was trained on %s lines and there are %s', logintel._number(learnt_from), logintel._number(lines)) END], NULL);
END
$function$;

COMMENT ON FUNCTION logintel._retrain_reasons(logintel_internal.models, bigint, bigint) IS 'In words, what speaks for training a model in force again, given the verdicts since it was trained and the lines there are.';

-- A retraining that led to nothing would lead to nothing again: another one waits for new verdicts, or a week.
CREATE OR REPLACE FUNCTION logintel._retraining_waits_for(name text,
    last_one logintel_internal.retrainings) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    test integer := (SELECT max(t.id) FROM logintel_internal.ab_tests t WHERE t.name = _retraining_waits_for.name AND t.ended_at IS NULL);
BEGIN
    RETURN CASE
        WHEN test IS NOT NULL THEN format('A/B test %s to end', test)
        WHEN last_one.outcome NOT LIKE 'failed: %' AND last_one.finished_at > now() - interval '7 days'
             AND (SELECT v.verdicts FROM logintel._verdicts_since(name, last_one.started_at) v) < 50 THEN
            format('50 verdicts or %s, since retraining %s changed nothing', (last_one.finished_at + interval '7 days')::date, last_one.id) END;
END
$function$;

COMMENT ON FUNCTION logintel._retraining_waits_for(text, logintel_internal.retrainings) IS 'In words, what a retraining of a model has to wait for, given the last one since the version in force was trained; null for nothing.';

CREATE OR REPLACE FUNCTION logintel._retrain_advice() RETURNS TABLE (
    name text, version integer, is_default boolean, advised boolean, reasons text[], waits_for text, new_lines bigint, new_verdicts bigint,
    data text, last_retrained_at timestamptz, last_outcome text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    model logintel_internal.models;
    last_one logintel_internal.retrainings;
    trained_at timestamptz;
    lines bigint := (SELECT coalesce(sum(t.lines), 0) FROM logintel_internal.score_totals t);
BEGIN
    FOR model IN SELECT m.* FROM logintel_internal.models m JOIN logintel_internal._in_force f ON f.model_id = m.id
                 ORDER BY array_position(logintel._model_names(), m.name) LOOP
        trained_at := coalesce((model.metadata ->> 'trained_at')::timestamptz, model.created_at);
        SELECT r.* INTO last_one FROM logintel_internal.retrainings r
        WHERE model.name = ANY (r.names) AND r.finished_at IS NOT NULL ORDER BY r.finished_at DESC LIMIT 1;
        name := model.name;
        version := model.version;
        is_default := coalesce(model.metadata ->> 'origin' = 'default', false);
        last_retrained_at := last_one.finished_at;
        last_outcome := last_one.outcome;
        new_lines := (SELECT coalesce(sum(h.lines), 0) FROM logintel_internal.hourly_counts h WHERE h.hour >= date_trunc('hour', trained_at, 'UTC'));
        new_verdicts := (SELECT v.verdicts FROM logintel._verdicts_since(model.name, trained_at) v);
        data := coalesce((SELECT format('the latest %s of %s lines of %s, %s verdicts since the last training', logintel._number(least(lines, coalesce(model.metadata #>> '{trained_with,lines}', '10000')::bigint)),
                                        logintel._number(lines), string_agg(a.log_table::text, ', ' ORDER BY a.id), logintel._number(new_verdicts))
                          FROM logintel_internal.attachments a HAVING count(*) > 0), 'no log table is attached');
        reasons := logintel._retrain_reasons(model, new_verdicts, lines);
        IF last_one.started_at < trained_at THEN
            last_one := NULL;  -- it made the version in force
        END IF;
        waits_for := logintel._retraining_waits_for(model.name, last_one);
        advised := reasons <> '{}' AND waits_for IS NULL;
        RETURN NEXT;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION logintel._retrain_advice() IS 'The rows of ml_retrain_advice.';
