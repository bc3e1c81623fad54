-- The same text has the same hash everywhere that rows of weights may come from; where it has not, they are made again.
CREATE OR REPLACE FUNCTION logintel._hash_canary() RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended('logintel' COLLATE "C", 0);

COMMENT ON FUNCTION logintel._hash_canary() IS 'The hash of a fixed text on this server.';


-- How many classes of a model have a column, and the first of these columns.
CREATE OR REPLACE FUNCTION logintel._columns_of(name text, OUT first_column integer, OUT most integer)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE name WHEN 'level' THEN (1, 5) WHEN 'category' THEN (6, 8) WHEN 'anomaly' THEN (14, 7) END;

COMMENT ON FUNCTION logintel._columns_of(text) IS 'The columns of layout_weights that belong to a model name.';


-- Rows of weights for a version, where it is linear and has none yet. Returns what SQL cannot express of it, null for a
-- linear model. Nothing but the graph decides: what people write into metadata does not.
CREATE OR REPLACE FUNCTION logintel._make_linear(model_id integer) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    model logintel_internal.models;
    made logintel_internal.linear_models;
    compiled record;
BEGIN
    SELECT m.* INTO model FROM logintel_internal.models m WHERE m.id = _make_linear.model_id;
    IF encode(sha256(model.onnx), 'hex') IS DISTINCT FROM model.sha256 THEN
        RAISE EXCEPTION 'model % % is corrupt: its bytes do not match its SHA-256', model.name, model.version
            USING ERRCODE = 'data_corrupted', HINT = 'Train or import it again.';
    END IF;
    SELECT l.* INTO made FROM logintel_internal.linear_models l
    WHERE l.model_id = _make_linear.model_id AND l.hash_canary = logintel._hash_canary()
      AND (l.fault IS NOT NULL OR EXISTS (SELECT FROM logintel_internal.linear_weights w
          WHERE w.model_id = l.model_id));
    IF FOUND THEN
        RETURN made.fault;
    END IF;
    DELETE FROM logintel_internal.linear_models l WHERE l.model_id = _make_linear.model_id;
    BEGIN
        compiled := logintel._compile(model.onnx);
        IF cardinality(compiled.classes) > (logintel._columns_of(model.name)).most THEN
            RAISE EXCEPTION 'a % model of % classes is not scored in SQL, which takes %',
                model.name, cardinality(compiled.classes), (logintel._columns_of(model.name)).most
                USING ERRCODE = 'feature_not_supported';
        END IF;
        -- The sums of both scorers would overflow, each in its own way.
        PERFORM logintel._refuse_unless(
            NOT EXISTS (SELECT FROM unnest(compiled.weights || compiled.idfs) AS w WHERE abs(w) > 1e6)
            AND NOT EXISTS (SELECT FROM unnest(compiled.intercepts) AS i WHERE abs(i) > 1e6),
            'a weight beyond a million');
    EXCEPTION WHEN feature_not_supported THEN
        INSERT INTO logintel_internal.linear_models (model_id, hash_canary, fault)
        VALUES (model.id, logintel._hash_canary(), SQLERRM);
        RETURN SQLERRM;
    END;
    INSERT INTO logintel_internal.linear_models (model_id, hash_canary, features, classes, intercepts)
    VALUES (model.id, logintel._hash_canary(), compiled.features, compiled.classes, compiled.intercepts);
    INSERT INTO logintel_internal.linear_weights (model_id, key, norm, idf, weights)
    SELECT model.id, r.key, r.norm, r.idf,
           (compiled.weights)[(r.n - 1) * cardinality(compiled.classes) + 1 : r.n * cardinality(compiled.classes)]
    FROM unnest(compiled.keys, compiled.norms, compiled.idfs) WITH ORDINALITY AS r (key, norm, idf, n);
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION logintel._make_linear(integer) IS 'Makes rows of weights of a version; returns why it is not linear, if so.';
