-- Where somebody has come to know the secret, or a shape was given the score of another: from here on no line finds a
-- score that is there, and each shape is scored anew when it is next seen. Predictions keep theirs.
CREATE OR REPLACE FUNCTION logintel.change_shape_seed() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    evicted bigint;
BEGIN
    PERFORM logintel._lock_deployments();
    PERFORM logintel._lock('scores');
    UPDATE logintel_internal.shape_seed SET seed = logintel._random_seed();
    UPDATE logintel_internal.scores SET evicted_txid = txid_current(), canonical = false WHERE evicted_txid IS NULL;
    GET DIAGNOSTICS evicted = ROW_COUNT;
    PERFORM logintel._announce('shape_seed_changed', 0);
    RETURN evicted;
END
$function$;

COMMENT ON FUNCTION logintel.change_shape_seed() IS 'Makes a new secret for the hashes of shapes and forgets all known shapes, which are scored anew when they are next seen; returns how many scores there were.';

CREATE OR REPLACE FUNCTION logintel._hash_of_shape(shape logintel.shape, seed bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN logintel._shape_hash(
    (shape).template, (shape).service, (shape).source_type, (shape).level, nullif(left((shape).status_class, 1),
        '')::integer * 100,
    (ARRAY[0, 100, 500, 1000, 5000, 30000]::double precision[])[
        array_position('{<100ms,<500ms,<1s,<5s,<30s,>=30s}'::text[], (shape).latency_bucket)], seed);

COMMENT ON FUNCTION logintel._hash_of_shape(logintel.shape, bigint) IS 'The hash of a line of this shape.';

CREATE OR REPLACE FUNCTION logintel._check_053_shape_seed() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'note', 'shapes have no secret seed, so who may insert lines can forge one',
        'SELECT logintel.change_shape_seed()'
    WHERE logintel._shape_seed() = 0;
END;

COMMENT ON FUNCTION logintel._check_053_shape_seed() IS 'Check of doctor(): whether shapes can be forged, as in a database of release 0.1.0.';
