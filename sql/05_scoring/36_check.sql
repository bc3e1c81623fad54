-- Python inside the server, where the extension logintel_python has brought it.
CREATE OR REPLACE FUNCTION logintel._check_051_python() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF logintel._has_python() THEN
        EXECUTE 'SELECT logintel._python_versions()' INTO detail;
        RETURN QUERY SELECT 'ok', detail, NULL;
    END IF;
EXCEPTION WHEN OTHERS THEN
    RETURN QUERY SELECT 'problem', SQLERRM, 'run "make install" for this server, then start a new session';
END
$function$;

COMMENT ON FUNCTION logintel._check_051_python() IS 'Check of doctor(): Python and the packages that score, where they are.';


-- Who scores new shapes and, where both can, whether SQL and onnxruntime say the same of shapes that were seen here
-- lately.
CREATE OR REPLACE FUNCTION logintel._check_052_scorers() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    serving_set integer := logintel._set_in_force();
    fault text := logintel._not_linear(serving_set);
    shapes logintel._shapes;
    compared record;
BEGIN
    IF serving_set IS NULL THEN
        RETURN;
    ELSIF fault IS NOT NULL THEN
        RETURN QUERY SELECT CASE WHEN logintel._has_python() THEN 'ok' ELSE 'note' END,
            format('%s scores new shapes; SQL cannot (%s)',
                   CASE WHEN logintel._has_python() THEN 'onnxruntime' ELSE 'logintel worker' END, fault),
            CASE WHEN NOT logintel._has_python()
                 THEN 'let logintel worker run, or CREATE EXTENSION logintel_python' END;
    ELSIF logintel._lanes(serving_set) IS NULL THEN
        RETURN QUERY SELECT 'problem', 'the models in force are not laid out for SQL',
            'run CALL logintel.maintain(''45 s'')';
    ELSIF NOT logintel._has_python() OR NOT EXISTS (SELECT FROM logintel_internal.scores) THEN
        RETURN QUERY SELECT 'ok', 'SQL scores new shapes', NULL;
    ELSE
        SELECT array_agg(s.shape_hash), array_agg(s.template), array_agg(s.service), array_agg(s.source_type),
               array_agg(s.level), array_agg(s.status_class), array_agg(s.latency_bucket), NULL
        INTO shapes
        FROM (SELECT * FROM logintel_internal.scores s WHERE s.evicted_txid IS NULL ORDER BY s.id DESC LIMIT 64) AS s;
        compared := logintel._compare_scorers(serving_set, shapes);
        RETURN QUERY SELECT CASE WHEN compared.difference > 1e-5 OR compared.labels > 0 THEN 'problem' ELSE 'ok' END,
            format('SQL scores new shapes; onnxruntime says the same of %s shapes to %s, with %s other labels',
                   compared.shapes, compared.difference, compared.labels),
            CASE WHEN compared.difference > 1e-5 OR compared.labels > 0
                 THEN 'report it, with the models: logintel export' END;
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_052_scorers() IS 'Check of doctor(): who scores new shapes, and whether both scorers say the same.';


CREATE OR REPLACE FUNCTION logintel._compare_scorers(
    model_set_id integer, compared logintel._shapes, OUT shapes bigint, OUT difference real, OUT labels bigint
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    by_sql logintel._scores := logintel._score_in_sql(logintel._lanes(model_set_id), compared);
    by_python logintel._scores;
BEGIN
    EXECUTE 'SELECT (s).* FROM logintel._python_scores($1, $2) AS s' INTO by_python USING model_set_id, compared;
    SELECT count(*), coalesce(max(greatest(abs(a.level_confidence - b.level_confidence),
                                           abs(a.category_confidence - b.category_confidence),
                                           abs(a.anomaly_score - b.anomaly_score),
                                           abs(a.unknown_words - b.unknown_words))), 0),
           count(*) FILTER (WHERE (a.predicted_level, a.category, a.labels, a.anomaly_type, a.is_new_template)
                                  IS DISTINCT FROM
                                  (b.predicted_level, b.category, b.labels, b.anomaly_type, b.is_new_template))
    INTO shapes, difference, labels
    FROM logintel._score_rows(compared, by_sql) AS a JOIN logintel._score_rows(compared, by_python) AS b USING (number);
END
$function$;

COMMENT ON FUNCTION logintel._compare_scorers(integer, logintel._shapes) IS 'How far SQL and onnxruntime are apart on shapes: the largest difference, and how many have another label.';
