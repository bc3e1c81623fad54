-- The fidelity gate: a version comes in only when all that may score with it here gives its golden cases the outputs
-- that scikit-learn gave them: the rows that SQL reads, where it is linear, and onnxruntime, where it is in this
-- server.
CREATE OR REPLACE FUNCTION logintel._check_new_version(model_id integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    model logintel_internal.models := (SELECT m FROM logintel_internal.models m WHERE m.id = $1);
    fault text := logintel._make_linear($1);
    lane logintel_internal.layouts;
BEGIN
    IF fault IS NULL THEN
        lane := logintel._add_lane(NULL, ARRAY[$1], 1);
        PERFORM logintel._check_by_sql(model, lane);
        DELETE FROM logintel_internal.layouts l WHERE l.id = lane.id;
    ELSIF NOT logintel._has_python() THEN
        RAISE NOTICE 'model % % cannot be scored or checked in this database: %', model.name, model.version, fault
            USING HINT =
                'While it is in force, "logintel worker" scores new shapes; or CREATE EXTENSION logintel_python.';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_new_version(integer) IS 'Raises an error unless SQL reproduces the golden cases of a new version, if it is linear.';


-- The same for a version that is in force: nothing is written.
CREATE OR REPLACE FUNCTION logintel._check_again(model_id integer) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    model logintel_internal.models := (SELECT m FROM logintel_internal.models m WHERE m.id = $1);
    lane logintel_internal.layouts;
BEGIN
    IF encode(sha256(model.onnx), 'hex') <> model.sha256 THEN
        RAISE EXCEPTION 'its bytes do not match its SHA-256';
    END IF;
    PERFORM logintel._check_by_python(model.name, model.onnx, model.metadata, model.golden);
    IF EXISTS (SELECT FROM logintel_internal.linear_models l WHERE l.model_id = $1 AND l.fault IS NULL) THEN
        SELECT l.* INTO lane
        FROM logintel._layout_parts((SELECT s.model_ids FROM logintel_internal.model_sets s
                                     WHERE s.id = logintel._set_in_force())) p
        JOIN logintel_internal.layouts l ON l.model_set_id = logintel._set_in_force() AND l.lane = p.lane
                                   AND l.hash_canary = logintel._hash_canary()
        WHERE p.model_id = $1;
        IF FOUND THEN
            PERFORM logintel._check_by_sql(model, lane);
        END IF;
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_again(integer) IS 'Raises an error unless a version in force reproduces its golden cases in this server.';


CREATE OR REPLACE FUNCTION logintel._check_by_sql(model logintel_internal.models,
    lane logintel_internal.layouts) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET extra_float_digits = 1 SET enable_nestloop = on SET enable_seqscan = off
SET enable_hashjoin = off SET enable_mergejoin = off AS
$function$
DECLARE
    linear logintel_internal.linear_models := (SELECT l FROM logintel_internal.linear_models l
        WHERE l.model_id = model.id);
    columns text[] := CASE model.name WHEN 'level' THEN '{DEBUG,INFO,WARN,ERROR,FATAL}'
                                      WHEN 'category' THEN lane.categories ELSE lane.anomaly_types END;
    first_column integer := (logintel._columns_of(model.name)).first_column;
    shape jsonb;
    said double precision[];
    labels text[];
    outputs jsonb[];
BEGIN
    IF model.name = 'level' AND 'level' = ANY (linear.features) THEN
        RAISE EXCEPTION 'model level reads the declared level, which is what it has to judge'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR shape IN SELECT c.golden_case -> 'shape'
                 FROM jsonb_array_elements(model.golden) WITH ORDINALITY AS c (golden_case, n) ORDER BY c.n LOOP
        said := logintel._lane_probabilities(lane, logintel._keys(
            logintel._tokens(shape ->> 'template'),
            logintel._context_tokens(shape ->> 'service', shape ->> 'source_type', shape ->> 'status_class',
                                     shape ->> 'latency_bucket'),
            logintel.normalize_level(shape ->> 'level'), NULL));
        said := ARRAY(SELECT said[first_column - 1 + array_position(columns, c.class)]
                      FROM unnest(linear.classes) WITH ORDINALITY AS c (class, n) ORDER BY c.n);
        labels := labels || linear.classes[array_position(said, (SELECT max(s) FROM unnest(said) AS s))];
        outputs := outputs || to_jsonb(said);
    END LOOP;
    PERFORM logintel._compare_golden(model.name, model.metadata, model.golden, labels, to_jsonb(outputs), ' by SQL');
    IF to_jsonb(linear.classes) <> model.metadata -> 'classes' THEN
        RAISE EXCEPTION 'model %: its graph has the classes %, its metadata %',
            model.name, to_jsonb(linear.classes), model.metadata -> 'classes' USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_by_sql(logintel_internal.models, logintel_internal.layouts) IS 'Raises an error unless the rows of weights reproduce the golden cases.';


-- The extension logintel_python comes and goes, so its functions are named in text alone.
CREATE OR REPLACE FUNCTION logintel._has_python() RETURNS boolean
LANGUAGE sql STABLE
RETURN to_regprocedure('logintel._python_outputs(text, bytea, jsonb, jsonb)') IS NOT NULL;

COMMENT ON FUNCTION logintel._has_python() IS 'Whether onnxruntime runs inside this server: the extension logintel_python.';


CREATE OR REPLACE FUNCTION logintel._check_by_python(name text, onnx bytea, metadata jsonb, golden jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    labels text[];
    outputs jsonb;
BEGIN
    IF logintel._has_python() THEN
        EXECUTE 'SELECT p.labels, p.outputs FROM logintel._python_outputs($1, $2, $3, $4) AS p' INTO labels, outputs
        USING $1, $2, $3, $4;
        PERFORM logintel._compare_golden($1, $3, $4, labels, outputs, '');
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_by_python(text, bytea, jsonb, jsonb) IS 'Raises an error unless the graph reproduces the golden cases, where this server runs graphs.';
