-- A verdict on a line is known by the hash of the line's shape, and so is the score that the line has.
CREATE OR REPLACE FUNCTION logintel._on_shape_seed_changed_071_feedback(subject bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    WITH hashes AS MATERIALIZED (
        SELECT f.id, f.shape_hash AS old, logintel._hash_of_shape(f.shape, logintel._shape_seed(f.attachment_id)) AS new
            FROM logintel_internal.feedback f),
    verdicts AS (
        UPDATE logintel_internal.feedback f SET shape_hash = h.new FROM hashes h WHERE f.id = h.id)
    UPDATE logintel_internal.scores s SET shape_hash = h.new FROM hashes h WHERE s.shape_hash = h.old
        AND s.evicted_txid IS NOT NULL;
$function$;

COMMENT ON FUNCTION logintel._on_shape_seed_changed_071_feedback(bigint) IS 'Lets verdicts on lines find these lines after the seed of shapes was changed.';
