-- Keeps the look-up of each model set at the setting known_shapes. An evicted score keeps what its predictions show and
-- little else, and so do all other scores of the shape that sessions appended. At most 100,000 at a time.
CREATE OR REPLACE FUNCTION logintel._evict(score_ids bigint[]) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    WITH known AS (
        DELETE FROM logintel_internal.known_scores k
            WHERE k.score_id = ANY (score_ids) RETURNING k.score_id, k.model_set_id),
    fewer AS (
        UPDATE logintel_internal.known_counts c SET scores = c.scores - n.scores
        FROM (SELECT k.model_set_id, count(*) AS scores FROM known k GROUP BY 1) AS n
        WHERE c.model_set_id = n.model_set_id),
    evicted AS (
        UPDATE logintel_internal.scores s
        SET evicted_txid = txid_current(), canonical = false,
            template = left(s.template, 200), level_probabilities = NULL
        FROM known k JOIN logintel_internal.scores f ON f.id = k.score_id
        WHERE s.model_set_id = f.model_set_id AND s.shape_hash = f.shape_hash AND s.evicted_txid IS NULL
        RETURNING s.id, s.evicted_txid),
    unused AS (
        INSERT INTO logintel_internal.unused_scores (score_id, evicted_txid)
        SELECT e.id, e.evicted_txid FROM evicted e
        WHERE NOT EXISTS (SELECT FROM logintel_internal.score_totals t WHERE t.score_id = e.id AND t.lines > 0))
    SELECT count(*) FROM known;
$function$;

COMMENT ON FUNCTION logintel._evict(bigint[]) IS 'Evicts known scores; returns how many. The caller holds the lock of scores.';

CREATE OR REPLACE FUNCTION logintel._evict_set(model_set_id integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF NOT logintel._try_lock('scores') THEN
        RETURN 0;
    END IF;
    RETURN logintel._evict(ARRAY(
        SELECT k.score_id FROM logintel_internal.known_scores k WHERE k.model_set_id = $1 LIMIT 100000));
END
$function$;

COMMENT ON FUNCTION logintel._evict_set(integer) IS 'Evicts up to 100,000 shapes of a model set that serves no more; returns how many.';

-- The text of a line goes with the last line of its shape, out of each set that knows it. A line that comes meanwhile
-- is no loss: an evicted score stays its own. What was published without lines is looked at in the next run: its lines
-- may be counted by then.
CREATE OR REPLACE FUNCTION logintel._evict_lineless() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    lineless bigint[];
    known bigint[];
BEGIN
    WITH taken AS (
        DELETE FROM logintel_internal.lineless_scores
        WHERE ctid = ANY (ARRAY(SELECT l.ctid FROM logintel_internal.lineless_scores l LIMIT 20000)) RETURNING score_id)
    SELECT array_agg(DISTINCT t.score_id) INTO lineless FROM taken t;
    known := ARRAY(
        SELECT k.id FROM logintel_internal.scores s CROSS JOIN logintel_internal.known_counts c
        JOIN logintel_internal.scores k ON k.model_set_id = c.model_set_id AND k.shape_hash = s.shape_hash
            AND k.canonical
        WHERE s.id = ANY (lineless));
    RETURN logintel._evict(ARRAY(
        SELECT unnest(known)
        EXCEPT SELECT t.score_id FROM logintel_internal.score_totals t WHERE t.score_id = ANY (known) AND t.lines > 0
        EXCEPT SELECT r.rescored_id FROM logintel_internal.scores r
            JOIN logintel_internal.score_totals t ON t.score_id = r.id
               WHERE r.rescored_id = ANY (known) AND t.lines > 0));
END
$function$;

COMMENT ON FUNCTION logintel._evict_lineless() IS 'Evicts shapes that lost their last line, at most 20,000; returns how many.';

-- A set that answers beside the one in force knows what that knows, no more and no less.
CREATE OR REPLACE FUNCTION logintel._evict_shapes() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    known_shapes bigint := logintel._setting('known_shapes');
    followers integer[] := logintel._sets_of_handlers('follower_sets');
    in_force integer := logintel._set_in_force();
    crowded record;
    least_used bigint[];
    evicted bigint := 0;
BEGIN
    FOR crowded IN SELECT c.model_set_id, c.scores - known_shapes AS excess FROM logintel_internal.known_counts c
                   WHERE c.scores > known_shapes AND c.model_set_id <> ALL (followers) LOOP
        least_used := ARRAY(SELECT k.score_id FROM logintel_internal.known_scores k
            WHERE k.model_set_id = crowded.model_set_id
                            ORDER BY k.repeated, k.used_at, k.score_id LIMIT least(crowded.excess, 100000));
        IF crowded.model_set_id = in_force AND followers <> '{}' THEN
            least_used := least_used || ARRAY(
                SELECT f.id FROM logintel_internal.scores s
                    JOIN logintel_internal.scores f ON f.shape_hash = s.shape_hash
                WHERE s.id = ANY (least_used) AND f.canonical AND f.model_set_id = ANY (followers));
        END IF;
        evicted := evicted + logintel._evict(least_used);
    END LOOP;
    RETURN evicted;
END
$function$;

COMMENT ON FUNCTION logintel._evict_shapes() IS 'Evicts the least used shapes beyond the setting known_shapes; returns how many.';

CREATE OR REPLACE FUNCTION logintel._task_062_evict_shapes() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    evicted bigint;
BEGIN
    IF NOT logintel._try_lock('scores') THEN
        RETURN 0;  -- a deployment is at work, which knows what it scores
    END IF;
    evicted := logintel._evict_lineless();
    PERFORM logintel._note_known();
    PERFORM logintel._note_use();
    RETURN evicted + logintel._evict_shapes();
END
$function$;

COMMENT ON FUNCTION logintel._task_062_evict_shapes() IS 'Task of the upkeep: evicts shapes that no line has any more, and keeps the look-up of each model set at the setting known_shapes.';
