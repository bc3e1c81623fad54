-- The one place that decides who scores. SQL scores with models that are linear, which are laid out for it: it needs no
-- start, and less than half the time for a shape alone. From some 8 shapes on onnxruntime needs less, where the
-- extension logintel_python is; but it takes a new session's first 200 ms and 70 MB, so what a person or an application
-- writes at once is left to SQL, and larger batches to onnxruntime. make bench ONLY=one_new compares the two.
CREATE OR REPLACE FUNCTION logintel._score_shapes(model_set_id integer, shapes logintel._shapes)
RETURNS logintel._scores
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    most_for_sql CONSTANT integer := 32;
    lanes logintel_internal.layouts[] := logintel._lanes($1);
    scores logintel._scores;
BEGIN
    IF lanes IS NOT NULL AND (cardinality(shapes.template) <= most_for_sql OR NOT logintel._has_python()) THEN
        RETURN logintel._score_in_sql(lanes, shapes);
    ELSIF logintel._has_python() THEN
        EXECUTE 'SELECT (s).* FROM logintel._python_scores($1, $2) AS s' INTO scores USING model_set_id, shapes;
        RETURN scores;
    END IF;
    RAISE EXCEPTION 'SQL cannot score with these models (%), and this database has no logintel_python',
        coalesce(logintel._not_linear(model_set_id), 'they are not laid out yet: run CALL logintel.maintain(''45 s'')')
        USING ERRCODE = 'feature_not_supported',
              HINT = 'CREATE EXTENSION logintel_python, or let "logintel worker" score the lines that wait.';
END
$function$;

COMMENT ON FUNCTION logintel._score_shapes(integer, logintel._shapes) IS 'What a model set says of up to 256 shapes, in their order.';


CREATE OR REPLACE FUNCTION logintel._can_score(model_set_id integer) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS 'SELECT logintel._has_python() OR logintel._lanes($1) IS NOT NULL';

COMMENT ON FUNCTION logintel._can_score(integer) IS 'Whether this database can score with a set; the worker can in any case.';


CREATE OR REPLACE FUNCTION logintel._lanes(model_set_id integer) RETURNS logintel_internal.layouts[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RETURN (SELECT array_agg(l ORDER BY l.lane) FROM logintel_internal.layouts l
            WHERE l.model_set_id = $1 AND l.hash_canary = logintel._hash_canary());
END
$function$;

COMMENT ON FUNCTION logintel._lanes(integer) IS 'How the models of a set are laid out for SQL; null where they are not.';


CREATE OR REPLACE FUNCTION logintel._not_linear(model_set_id integer) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT string_agg(format('%s %s: %s', m.name, m.version, l.fault), '; ' ORDER BY m.name, m.version)
    FROM logintel_internal.model_sets s
    CROSS JOIN logintel._layout_parts(s.model_ids) p
    JOIN logintel_internal.models m ON m.id = p.model_id
    JOIN logintel_internal.linear_models l ON l.model_id = p.model_id
    WHERE s.id = $1 AND l.fault IS NOT NULL;
$function$;

COMMENT ON FUNCTION logintel._not_linear(integer) IS 'Why SQL cannot score with a set: what is not linear in it.';


-- Plans are made once and for good: nested loops by the index on the keys, whatever the statistics say.
CREATE OR REPLACE FUNCTION logintel._score_in_sql(lanes logintel_internal.layouts[], shapes logintel._shapes)
RETURNS logintel._scores
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS
$function$
DECLARE
    started timestamptz := clock_timestamp();
    known_as logintel_internal.layouts := lanes[1];
    normal integer := 13 + array_position(known_as.anomaly_types, 'none');
    context text[];
    level text;
    digest text;
    shape record;
    last record;
    words text[];
    p double precision[];
    best double precision;
    -- Arrays of their own: plpgsql appends to these in place.
    predicted text[]; confidence real[]; by_level real[]; category text[]; category_confidence real[]; labels text[];
    anomaly real[]; anomaly_type text[]; unknown_words real[]; is_new boolean[];
BEGIN
    -- Not by number: to find one text among many in an array, PostgreSQL passes by all that are before it.
    FOR shape IN SELECT s.* FROM unnest(shapes.template, shapes.service, shapes.source_type, shapes.level,
                                        shapes.status_class, shapes.latency_bucket)
                                 AS s (template, service, source_type, level, status_class, latency_bucket)
    LOOP
        IF known_as.reads_context AND last IS DISTINCT FROM
           (shape.service, shape.source_type, shape.status_class, shape.latency_bucket) THEN
            last := (shape.service, shape.source_type, shape.status_class, shape.latency_bucket);
            context := logintel._context_tokens(shape.service, shape.source_type, shape.status_class,
                                                shape.latency_bucket);
        END IF;
        IF known_as.reads_level THEN
            level := (SELECT n.level FROM logintel.level_names n WHERE n.name = logintel._level_name(shape.level));
        END IF;
        IF known_as.knows_lines THEN
            digest := logintel._template_digest(shape.template);
        END IF;
        words := logintel._tokens(shape.template);
        p := logintel._linear_probabilities(lanes, logintel._keys(words, context, level, digest));
        IF known_as.has_level THEN
            best := greatest(p[1], p[2], p[3], p[4], p[5]);
            IF best IS NULL THEN
                RAISE EXCEPTION 'the layout of the models in force has lost rows' USING ERRCODE = 'data_corrupted',
                    HINT = 'Run CALL logintel.maintain(''45 s''), which makes it again.';
            END IF;
            predicted := predicted || ('{DEBUG,INFO,WARN,ERROR,FATAL}'::text[])[array_position(p[1:5], best)];
            confidence := confidence || best::real;
            by_level := by_level || ARRAY[coalesce(p[1], 0), coalesce(p[2], 0), coalesce(p[3], 0),
                                          coalesce(p[4], 0), coalesce(p[5], 0)]::real[];
        END IF;
        IF known_as.categories IS NOT NULL THEN
            best := greatest(p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13]);
            category := category || known_as.categories[array_position(p[6:13], best)];
            category_confidence := category_confidence || best::real;
            labels := labels || logintel._labels(known_as.categories, p, least(best, 0.25))::text;
        END IF;
        IF normal IS NOT NULL THEN
            anomaly := anomaly || (1 - p[normal])::real;
            p[normal] := -1;
            best := greatest(p[14], p[15], p[16], p[17], p[18], p[19], p[20]);
            anomaly_type := anomaly_type || known_as.anomaly_types[array_position(p[14:20], best)];
        END IF;
        IF known_as.knows_lines THEN
            unknown_words := unknown_words || coalesce(
                (SELECT round(1 - p[21]::numeric / nullif(count(DISTINCT w), 0), 4)
                 FROM unnest(words) AS w WHERE w <> '<*>'), 0)::real;
            is_new := is_new || (p[22] = 0);
        END IF;
    END LOOP;
    RETURN ROW(predicted, confidence, by_level, category, category_confidence, labels, anomaly, anomaly_type,
               unknown_words, is_new,
               (extract(epoch FROM clock_timestamp() - started) * 1e6 / cardinality(shapes.template))::real);
END
$function$;

COMMENT ON FUNCTION logintel._score_in_sql(logintel_internal.layouts[], logintel._shapes) IS 'What the linear models of a set say of shapes, in their order.';


-- Beside the likeliest one a category applies from .25 on, as in logintel_server/scoring.py. Written out, it is
-- inlined.
CREATE OR REPLACE FUNCTION logintel._labels(categories text[], p double precision[], threshold double precision)
RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_remove(ARRAY[
    CASE WHEN p[6] >= threshold THEN categories[1] END, CASE WHEN p[7] >= threshold THEN categories[2] END,
    CASE WHEN p[8] >= threshold THEN categories[3] END, CASE WHEN p[9] >= threshold THEN categories[4] END,
    CASE WHEN p[10] >= threshold THEN categories[5] END, CASE WHEN p[11] >= threshold THEN categories[6] END,
    CASE WHEN p[12] >= threshold THEN categories[7] END, CASE WHEN p[13] >= threshold THEN categories[8] END], NULL);

COMMENT ON FUNCTION logintel._labels(text[], double precision[], double precision) IS 'The categories of at least this probability, of the columns of a layout.';
