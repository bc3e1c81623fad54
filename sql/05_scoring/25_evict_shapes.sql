-- Keeps the look-up of each model set at the setting known_shapes: shapes that more than one line had stay longest, then
-- those used last. An evicted score keeps what its predictions show and little else. No line uses what the challenger of
-- a shadow test knows: it knows what the set in force does.
CREATE OR REPLACE FUNCTION logintel._evict_shapes() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    known_shapes bigint := logintel._setting('known_shapes')::bigint;
    in_force integer := logintel._active_model_set();
    shadows integer[] := coalesce((SELECT v.shadow_set_ids FROM logintel._serving() v), '{}');
    evicted bigint := 0;
BEGIN
    IF EXISTS (SELECT FROM logintel.shape_scores s WHERE s.evicted_txid IS NULL AND s.model_set_id <> ALL (shadows)
               GROUP BY s.model_set_id HAVING count(*) > known_shapes) THEN
        UPDATE logintel.shape_scores s
        SET evicted_txid = txid_current(), canonical = false, template = left(s.template, 200), level_probabilities = NULL
        FROM (SELECT k.id, row_number() OVER (
                         PARTITION BY k.model_set_id
                         ORDER BY coalesce(t.lines, 0) > 1 DESC, coalesce(t.last_used_at, k.scored_at) DESC, k.id DESC) AS rank
              FROM logintel.shape_scores k
              LEFT JOIN logintel.score_totals t ON t.score_id = k.id
              WHERE k.evicted_txid IS NULL AND k.model_set_id <> ALL (shadows)) AS ranked
        WHERE s.id = ranked.id AND ranked.rank > known_shapes;
        GET DIAGNOSTICS evicted = ROW_COUNT;
        UPDATE logintel.shape_scores s
        SET evicted_txid = txid_current(), canonical = false, template = left(s.template, 200), level_probabilities = NULL
        WHERE s.model_set_id = ANY (shadows) AND s.evicted_txid IS NULL AND NOT EXISTS (
            SELECT FROM logintel.shape_scores k WHERE k.model_set_id = in_force AND k.shape_hash = s.shape_hash AND k.evicted_txid IS NULL);
    END IF;
    RETURN evicted;
END
$function$;

COMMENT ON FUNCTION logintel._evict_shapes() IS 'Evicts the least used shapes beyond the setting known_shapes; returns how many.';

-- A challenger that was never deployed leaves scores that nobody looks up. Those that lines have stay as they are. A minute
-- after the end hardly a statement is left that still goes by the test.
CREATE OR REPLACE FUNCTION logintel._evict_ended_challengers() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    unserved integer[] := ARRAY(
        SELECT m.id FROM logintel.model_sets m
        WHERE EXISTS (SELECT FROM logintel.ab_tests t WHERE t.challenger_id = ANY (m.model_ids) AND t.ended_at < now() - interval '1 minute')
          AND NOT EXISTS (SELECT FROM logintel.ab_tests t WHERE t.challenger_set_id = m.id AND t.ended_at IS NULL)
          AND NOT EXISTS (SELECT FROM logintel.deployments d WHERE d.model_set_id = m.id));
    evicted bigint;
BEGIN
    UPDATE logintel.shape_scores s SET evicted_txid = txid_current(), canonical = false
    WHERE s.model_set_id = ANY (unserved) AND s.evicted_txid IS NULL
      AND NOT EXISTS (SELECT FROM logintel.score_totals t WHERE t.score_id = s.id AND t.lines > 0);
    GET DIAGNOSTICS evicted = ROW_COUNT;
    RETURN evicted;
END
$function$;

COMMENT ON FUNCTION logintel._evict_ended_challengers() IS 'Evicts the shapes of challengers whose tests ended, where no line has their score; returns how many.';

-- Evicted scores that no prediction and no running A/B test needs any more. A transaction may still hold a score that it looked up before the
-- eviction. So the roll-up before the caller's must have seen the eviction, all that ran then must have ended, and no
-- snapshot may be left from before it: then the count is final.
CREATE OR REPLACE FUNCTION logintel._remove_unused_scores(counted_before txid_snapshot) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    oldest_snapshot bigint := (SELECT txid_current() - 1 - coalesce(max(age(a.backend_xmin)), 0) FROM pg_stat_activity a);
    removed bigint := 0;
BEGIN
    IF txid_snapshot_xmin(txid_current_snapshot()) >= txid_snapshot_xmax(counted_before) THEN
        WITH unused AS (
            DELETE FROM logintel.shape_scores s
            WHERE txid_visible_in_snapshot(s.evicted_txid, counted_before) AND s.evicted_txid < oldest_snapshot
              AND NOT EXISTS (SELECT FROM logintel.score_totals t WHERE t.score_id = s.id AND t.lines > 0)
              AND NOT EXISTS (SELECT FROM logintel.shape_scores o WHERE o.rescored_id = s.id)
              AND NOT EXISTS (SELECT FROM logintel.ab_test_counts c WHERE c.score_id = s.id)
              AND NOT EXISTS (SELECT FROM logintel.ab_tests a JOIN logintel.model_sets m ON a.challenger_id = ANY (m.model_ids)
                              WHERE a.ended_at IS NULL AND a.share = 0 AND m.id = s.model_set_id)
            RETURNING s.id),
        totals AS (
            DELETE FROM logintel.score_totals t USING unused u WHERE t.score_id = u.id)
        SELECT count(*) INTO removed FROM unused;
    END IF;
    RETURN removed;
END
$function$;

COMMENT ON FUNCTION logintel._remove_unused_scores(txid_snapshot) IS 'Removes evicted scores that no prediction points to; returns how many.';
