-- The one place that decides who scores: SQL where the set is laid out, which it is when all its models are linear; else
-- onnxruntime inside the server, where the extension logintel_python is. SQL is at least as fast in batches of any size and
-- needs no start, so there is no size from which on the other takes over; make bench ONLY=one_new compares the two.
CREATE OR REPLACE FUNCTION logintel._score_shapes(model_set_id integer, shapes logintel._shapes) RETURNS logintel._scores
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    lanes logintel.layouts[] := logintel._lanes(model_set_id);
    scores logintel._scores;
BEGIN
    IF lanes IS NOT NULL THEN
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


-- In plpgsql, as all that a first new shape of a transaction runs: PostgreSQL plans an SQL function anew in each.
CREATE OR REPLACE FUNCTION logintel._lanes(model_set_id integer) RETURNS logintel.layouts[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    RETURN (SELECT array_agg(l ORDER BY l.lane) FROM logintel.layouts l
            WHERE l.model_set_id = $1 AND l.hash_canary = logintel._hash_canary());
END
$function$;

COMMENT ON FUNCTION logintel._lanes(integer) IS 'How the models of a set are laid out for SQL; null where they are not.';


CREATE OR REPLACE FUNCTION logintel._not_linear(model_set_id integer) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT string_agg(format('%s %s: %s', m.name, m.version, l.fault), '; ' ORDER BY m.name, m.version)
    FROM logintel.model_sets s
    CROSS JOIN logintel._layout_parts(s.model_ids) p
    JOIN logintel.models m ON m.id = p.model_id
    JOIN logintel.linear_models l ON l.model_id = p.model_id
    WHERE s.id = $1 AND l.fault IS NOT NULL;
$function$;

COMMENT ON FUNCTION logintel._not_linear(integer) IS 'Why SQL cannot score with a set: what is not linear in it.';


-- Plans are made once and for good: nested loops by the index on the keys, whatever the statistics say.
CREATE OR REPLACE FUNCTION logintel._score_in_sql(lanes logintel.layouts[], shapes logintel._shapes) RETURNS logintel._scores
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS
$function$
DECLARE
    started timestamptz := clock_timestamp();
    known_as logintel.layouts := lanes[1];
    normal integer := 13 + array_position(known_as.anomaly_types, 'none');
    context text[];
    level text;
    digest text;
    shape record;
    p double precision[];
    best double precision;
    -- Arrays of their own: plpgsql appends to these in place.
    predicted text[]; confidence real[]; by_level real[]; category text[]; category_confidence real[]; labels text[];
    anomaly real[]; anomaly_type text[]; unknown_words real[]; is_new boolean[];
BEGIN
    FOR i IN 1 .. cardinality(shapes.template) LOOP
        IF known_as.reads_context THEN
            context := logintel._context_tokens(shapes.service[i], shapes.source_type[i], shapes.status_class[i], shapes.latency_bucket[i]);
        END IF;
        IF known_as.reads_level THEN
            level := (SELECT n.level FROM logintel.level_names n WHERE n.name = lower(btrim(shapes.level[i])));
        END IF;
        IF known_as.knows_lines THEN
            digest := left(md5(convert_to(shapes.template[i], 'UTF8')), 16);
        END IF;
        shape := logintel._keys(logintel._tokens(shapes.template[i]), context, level, digest);
        p := logintel._linear_probabilities(lanes, shape.keys, shape.counts);
        IF known_as.has_level THEN
            best := greatest(p[1], p[2], p[3], p[4], p[5]);
            predicted := predicted || ('{DEBUG,INFO,WARN,ERROR,FATAL}'::text[])[array_position(p[1:5], best)];
            confidence := confidence || best::real;
            by_level := by_level || ARRAY[coalesce(p[1], 0), coalesce(p[2], 0), coalesce(p[3], 0), coalesce(p[4], 0), coalesce(p[5], 0)]::real[];
        END IF;
        IF known_as.categories IS NOT NULL THEN
            best := greatest(p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13]);
            category := category || known_as.categories[array_position(p[6:13], best)];
            category_confidence := category_confidence || best::real;
            labels := labels || logintel._labels(known_as.categories, p[6:13], best)::text;
        END IF;
        IF normal IS NOT NULL THEN
            anomaly := anomaly || (1 - p[normal])::real;
            p[normal] := -1;
            best := greatest(p[14], p[15], p[16], p[17], p[18], p[19], p[20]);
            anomaly_type := anomaly_type || known_as.anomaly_types[array_position(p[14:20], best)];
        END IF;
        IF known_as.knows_lines THEN
            unknown_words := unknown_words || coalesce(round(1 - p[21]::numeric / nullif(shape.distinct_words, 0), 4), 0)::real;
            is_new := is_new || (p[22] = 0);
        END IF;
    END LOOP;
    RETURN ROW(predicted, confidence, by_level, category, category_confidence, labels, anomaly, anomaly_type, unknown_words, is_new,
               (extract(epoch FROM clock_timestamp() - started) * 1e6 / cardinality(shapes.template))::real);
END
$function$;

COMMENT ON FUNCTION logintel._score_in_sql(logintel.layouts[], logintel._shapes) IS 'What the linear models of a set say of shapes, in their order.';


-- Beside the likeliest one a category applies from .25 on, as in logintel_server/scoring.py.
CREATE OR REPLACE FUNCTION logintel._labels(categories text[], probabilities double precision[], best double precision) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF best > 0.75 THEN
        RETURN ARRAY[categories[array_position(probabilities, best)]];
    END IF;
    RETURN ARRAY(SELECT c.category FROM unnest(categories, probabilities) WITH ORDINALITY AS c (category, probability, n)
                 WHERE c.probability >= least(best, 0.25) AND c.category IS NOT NULL ORDER BY c.n);
END
$function$;

COMMENT ON FUNCTION logintel._labels(text[], double precision[], double precision) IS 'The categories that apply: the likeliest one, and all others with a probability of .25 and more.';
